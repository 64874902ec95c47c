import { randomUUID } from 'node:crypto'
import { onTestFinished } from 'vitest'
import { createManagerClient, type ManagerClient } from '../../../src/client/manager-client.ts'
import type { OperationAnswer } from '../../../src/domain/wire/operations.ts'
import type { JobView } from '../../../src/domain/wire/shared.ts'
import type { SubmitAnswer, SubmitInput } from '../../../src/domain/wire/submit.ts'
import type { TemporaryHome } from '../../support/temporary-home.ts'

export interface QueueClientOptions {
  /** False: a missing manager is an error, nothing is started. */
  readonly launch?: boolean
  readonly readyTimeoutMs?: number
}

/**
 * A client of the state directory inside this process, closed when the test ends. The launcher reads this process's
 * environment, so NIGHTKILN_HOME is set until then: one state directory with clients per test at a time.
 */
export function useQueueClient(home: TemporaryHome, options: QueueClientOptions = {}): ManagerClient {
  setForTest('NIGHTKILN_HOME', home.home)
  const client = createManagerClient({
    home: home.home,
    version: '0.1.0',
    submittedBy: 'crash test',
    launch: options.launch ?? true,
    ...(options.readyTimeoutMs === undefined ? {} : { readyTimeoutMs: options.readyTimeoutMs }),
  })
  onTestFinished(() => client.close())
  return client
}

/** Sets a variable of this process, which the launcher passes on, until the test ends. */
export function setForTest(name: string, value: string): void {
  const before = process.env[name]
  process.env[name] = value
  onTestFinished(() => {
    if (before === undefined) delete process.env[name]
    else process.env[name] = before
  })
}

export const submitContext = {
  environment: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', HOME: '/tmp' },
  cwd: '/tmp',
  submitted_by: 'crash test',
}

/** Submits; the key is random unless given. */
export function submit(
  client: ManagerClient,
  input: Partial<SubmitInput> & { readonly params: SubmitInput['params'] },
): Promise<SubmitAnswer> {
  return client.call('submit_job', {
    type: 'command',
    ...input,
    idempotency_key: input.idempotency_key ?? randomUUID(),
    context: submitContext,
  })
}

/** Submits a script that runs in `cwd`. @returns the job's id */
export async function submitScript(
  client: ManagerClient,
  cwd: string,
  script: string,
  more: Partial<SubmitInput> = {},
): Promise<string> {
  return (await submit(client, { ...more, params: { shell: true, script, cwd } })).id
}

/** Long-polls until all jobs are final. @throws Error when they are not by then */
export async function waitForEnd(
  client: ManagerClient,
  ids: readonly string[],
  timeoutMs = 30_000,
): Promise<readonly JobView[]> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const left = Math.max(0, deadline - performance.now())
    const answer: OperationAnswer<'wait_for_jobs'> = await client.call('wait_for_jobs', {
      ids: [...ids],
      timeout_s: Math.min(25, left / 1000),
    })
    if (answer.satisfied) return answer.jobs
    if (left === 0) throw new Error(`not ended within ${timeoutMs} ms: ${answer.jobs.map((job) => job.why).join('; ')}`)
  }
}

/** One job in full detail. */
export async function viewJob(client: ManagerClient, id: string): Promise<JobView> {
  const [job] = (await client.call('job_status', { ids: [id], detail: 'full' })).jobs
  if (job === undefined) throw new Error(`no job ${id}`)
  return job
}
