import type { JobView } from '../../src/domain/wire/shared.ts'
import type { SubmitInput } from '../../src/domain/wire/submit.ts'
import { submitScript, useQueueClient, viewJob, waitForEnd } from '../crash/support-b/queue-client.ts'
import type { TemporaryHome } from '../support/temporary-home.ts'

export interface Queue {
  /** Submits a shell script that runs in the state directory. @returns the id of the job */
  submit(script: string, more?: Partial<SubmitInput>): Promise<string>
  job(id: string): Promise<JobView>
  state(id: string): Promise<string>
  /** Waits for the end. @returns the final state */
  ended(id: string): Promise<string>
}

/**
 * The queue of a state directory, asked by a client in this process: for what a test needs but is not about. A start of
 * the program takes half a second of processor time.
 */
export function useQueue(home: TemporaryHome): Queue {
  const client = useQueueClient(home)
  return {
    submit: (script, more) => submitScript(client, home.home, script, more),
    job: (id) => viewJob(client, id),
    state: async (id) => (await viewJob(client, id)).state,
    ended: async (id) => {
      const [job] = await waitForEnd(client, [id])
      if (job === undefined) throw new Error(`no job ${id}`)
      return job.state
    },
  }
}
