import type { DisplayFacts } from '../../domain/display-state.ts'
import type { Job } from '../../domain/job.ts'
import type { ServiceContext } from './service-context.ts'

type CancelFacts = Pick<DisplayFacts, 'cancelGraceMs' | 'workerUnreachableUntil'>

/** Beyond the end of a lease: for what is under way and clocks that differ. */
const marginMs = 5_000

/**
 * @returns by when a job that is being cancelled ends at GPU workers that do not answer: from the cancel on no lease is renewed.
 * Of other jobs nothing is read.
 */
export function gpuCancelFactsOf({ store, fleet, settings }: ServiceContext, job: Job): CancelFacts {
  if (job.gpu === 'never' || job.cancelRequestedAt === null || job.counts.running === 0) return {}
  const busy = store.readModes(job.id).filter(({ worker, running }) => worker !== null && running > 0)
  if (busy.length === 0) return {}
  const away = new Set(fleet.status().flatMap(({ name, reachable }) => (reachable === false ? [name] : [])))
  const isAway = busy.some(({ worker }) => worker !== null && away.has(worker))
  return {
    // Its processes are not here.
    cancelGraceMs: undefined,
    workerUnreachableUntil: isAway ? job.cancelRequestedAt + settings.gpu_lease + marginMs : null,
  }
}
