import { randomUUID } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, vi } from 'vitest'
import {
  createManagerClient,
  type ManagerClient,
  type ManagerClientOptions,
} from '../../../src/client/manager-client.ts'
import { captureSubmitContext } from '../../../src/client/submit-context.ts'
import { statePaths } from '../../../src/config/paths.ts'
import { version } from '../../../src/config/version.ts'
import type { JobView } from '../../../src/domain/wire/shared.ts'
import type { SubmitAnswer, SubmitInput } from '../../../src/domain/wire/submit.ts'
import { isManagerAlive, readManagerFile } from '../../support/manager-process.ts'
import { type TemporaryHome, useTemporaryHome } from '../../support/temporary-home.ts'
import { waitUntil } from '../../support/wait-until.ts'

export interface Scenario extends TemporaryHome {
  /** Where the jobs' ledger and gates lie: outside the state directory. */
  readonly directory: string
  /** A client that starts a manager when it needs one; closed when the test ends. */
  client(options?: Partial<ManagerClientOptions>): ManagerClient
  submit(
    client: ManagerClient,
    job: Partial<SubmitInput> & { readonly params: Record<string, unknown> },
  ): Promise<SubmitAnswer>
  job(client: ManagerClient, id: string): Promise<JobView>
  /** Waits for the end of all; survives managers that go away meanwhile. */
  ended(client: ManagerClient, ids: readonly string[], timeoutMs?: number): Promise<readonly JobView[]>
  /** The same for one job. */
  endOf(client: ManagerClient, id: string): Promise<JobView>
  /** Stops the manager as a user does, if one runs, and proves that no process of this state directory is left. */
  end(): Promise<void>
}

/**
 * A state directory with settings, a ledger directory, and a client in this process.
 * @param settings content of config.json
 */
export function useScenario(settings: Readonly<Record<string, unknown>> = {}): Scenario {
  const directory = mkdtempSync(join(tmpdir(), 'nk-ledger-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const temporary = useTemporaryHome()
  const { home, ledger } = temporary
  // The client of this process launches managers with this process's environment.
  vi.stubEnv('NIGHTKILN_HOME', home)
  const config = statePaths(home).configFile
  mkdirSync(dirname(config), { recursive: true })
  writeFileSync(config, JSON.stringify({ log_level: 'debug', ...settings }))
  const clients: ManagerClient[] = []
  onTestFinished(async () => {
    await Promise.all(clients.map((client) => client.close()))
    vi.unstubAllEnvs()
  })

  const job: Scenario['job'] = async (client, id) => {
    const { jobs } = await client.call('job_status', { ids: [id], detail: 'full' })
    const [found] = jobs
    if (found === undefined) throw new Error(`no job ${id}`)
    return found
  }

  const ended: Scenario['ended'] = async (client, ids, timeoutMs = 30_000) => {
    const deadline = performance.now() + timeoutMs
    for (;;) {
      const seconds = Math.max(0, Math.min(5, (deadline - performance.now()) / 1000))
      const answer = await client.call('wait_for_jobs', { ids: [...ids].slice(0, 50), timeout_s: seconds })
      if (answer.satisfied) return Promise.all(ids.map((id) => job(client, id)))
      if (performance.now() > deadline) {
        const states = answer.jobs.map(({ name, state, why }) => `${name}: ${state} (${why})`)
        throw new Error(`not ended within ${timeoutMs} ms:\n${states.join('\n')}`)
      }
    }
  }

  return {
    ...temporary,
    directory,
    job,
    client(options = {}) {
      const client = createManagerClient({ home, version, submittedBy: 'crash test', ...options })
      clients.push(client)
      return client
    },
    submit(client, input) {
      const context = captureSubmitContext({ submittedBy: 'crash test', cwd: directory })
      return client.call('submit_job', { idempotency_key: randomUUID(), ...input, context } as Parameters<
        typeof client.call<'submit_job'>
      >[1])
    },
    ended,
    async endOf(client, id) {
      const [found] = await ended(client, [id])
      if (found === undefined) throw new Error(`no job ${id}`)
      return found
    },
    async end() {
      await Promise.all(clients.map((client) => client.close()))
      const file = readManagerFile(home)
      if (file !== null && isManagerAlive(file)) {
        const visitor = createManagerClient({ home, version, submittedBy: 'crash test', launch: false })
        await visitor.call('stop_manager', { running: 'release' })
        await visitor.close()
        await waitUntil(() => !isManagerAlive(file), { what: 'the manager to end' })
        expect(readManagerFile(home)?.state).toBe('stopped')
      }
      await ledger.assertNothingLeft()
    },
  }
}

/** @returns outcome of every attempt, by number */
export function outcomes(job: JobView): readonly string[] {
  return (job.attempt_history ?? []).map((attempt) => attempt.outcome)
}

/** @returns the last lines that a command wrote, out of its result */
export function outputTail(job: JobView): string {
  return (job.result as { untrusted_output_tail: string }).untrusted_output_tail
}
