import { onTestFinished } from 'vitest'
import { createFakeClock } from '../fake-clock.ts'
import { type AttemptHarness, canaryKey, type HarnessOptions, useAttempts } from './attempt-harness.ts'
import { type StandInOptions, startWorkerStandIn, type WorkerStandIn } from './worker-stand-in.ts'

/** One worker and attempts that go to it, on one clock; ended with the test. */
export async function useWorker(
  worker: Omit<StandInOptions, 'clock' | 'key'> & { readonly ca?: string } = {},
  harness: Omit<HarnessOptions, 'workers' | 'clock'> = {},
): Promise<{ readonly worker: WorkerStandIn; readonly attempts: AttemptHarness }> {
  const clock = createFakeClock()
  const { ca, ...options } = worker
  const standIn = await startWorkerStandIn({ ...options, clock, key: canaryKey })
  onTestFinished(() => standIn.close())
  const workers = [{ name: 'rig', url: standIn.url, ...(ca === undefined ? {} : { ca }) }]
  return { worker: standIn, attempts: useAttempts({ ...harness, clock, workers }) }
}
