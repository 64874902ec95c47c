import { WorkerFault } from '../worker-client.ts'
import type { FleetContext } from './context.ts'
import { discoverMode, lookAs, type WorkerLook, type WorkerWay } from './worker-look.ts'

/**
 * Looks at a worker once; tries again while the request cannot even leave.
 * @param open gives the way to it
 * @param trying told how many tries that makes
 * @throws WorkerFault
 */
export async function askWorker(
  open: () => WorkerWay,
  { pace, random, closing }: FleetContext,
  trying: (tries: number) => void,
): Promise<WorkerLook> {
  for (let attempt = 0; ; attempt += 1) {
    trying(attempt + 1)
    try {
      const way = open()
      return await lookAs(await discoverMode(way, closing), way, closing)
    } catch (error) {
      if (!(error instanceof WorkerFault) || error.kind !== 'not_sent' || attempt >= pace.retries) throw error
      await pause(random() * pace.retryMs * 2 ** attempt, closing)
    }
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const timer = setTimeout(done, ms)
    function done(): void {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    signal.addEventListener('abort', done, { once: true })
  })
}
