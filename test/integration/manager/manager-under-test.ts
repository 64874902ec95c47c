import { afterAll, beforeAll } from 'vitest'
import { createManagerClient, type ManagerClient } from '../../../src/client/manager-client.ts'
import { captureSubmitContext } from '../../../src/client/submit-context.ts'
import { version } from '../../../src/config/version.ts'
import type { JobView } from '../../../src/domain/wire/shared.ts'
import type { SubmitAnswer, SubmitInput } from '../../../src/domain/wire/submit.ts'
import { makeTemporaryHome } from '../../support/temporary-home.ts'

/** What a test says of a submit; type and key are filled in. */
export type SubmitChoice = Omit<SubmitInput, 'type'> & { readonly type?: string }

export interface ManagerUnderTest {
  readonly home: string
  readonly client: ManagerClient
  /** Submits with a key of its own unless one is given. */
  submit(input: SubmitChoice, cwd?: string | null): Promise<SubmitAnswer>
  /** Submits a shell script and waits for its end. */
  run(script: string, input?: Partial<SubmitChoice>): Promise<JobView>
  ended(id: string): Promise<JobView>
}

let keys = 0

/** One real manager for all tests of a file, on a state directory of its own. */
export function useManager(): ManagerUnderTest {
  const home = makeTemporaryHome()
  const client = createManagerClient({ home: home.home, submittedBy: 'integration', version })
  const context = (cwd: string | null) => ({
    ...captureSubmitContext({ submittedBy: 'integration', cwd: home.home }),
    cwd,
  })

  const under: ManagerUnderTest = {
    home: home.home,
    client,
    submit(input, cwd = home.home) {
      keys += 1
      const key = input.idempotency_key ?? `test-${process.pid}-${keys}`
      return client.call('submit_job', {
        ...input,
        type: input.type ?? 'command',
        idempotency_key: key,
        context: context(cwd),
      })
    },
    async run(script, input = {}) {
      const { id } = await under.submit({ ...input, params: { shell: true, script, ...input.params } })
      return under.ended(id)
    },
    async ended(id) {
      const { jobs } = await client.call('wait_for_jobs', { ids: [id], timeout_s: 20 })
      const [job] = jobs
      if (job === undefined || !job.final) throw new Error(`job ${id} has not ended: ${JSON.stringify(job)}`)
      return job
    },
  }
  beforeAll(async () => {
    await client.connect()
  })
  afterAll(async () => {
    await client.close()
    await home.remove()
  })
  return under
}
