import type { DisplayFacts } from '../../domain/display-state.ts'
import type { Job } from '../../domain/job.ts'
import type { ServiceContext } from './service-context.ts'

type RunFacts = Pick<DisplayFacts, 'cancelGraceMs' | 'workerUnreachableUntil' | 'workersAway'>

/** Beyond the end of a lease: for what is under way and clocks that differ. */
const marginMs = 5_000

/**
 * @returns which GPU workers that run units of a job do not answer, and by when a job that is being cancelled ends there: from the
 * cancel on no lease is renewed. Of jobs that never ask for a GPU nothing is read.
 */
export function gpuRunFactsOf({ store, fleet, settings }: ServiceContext, job: Job): RunFacts {
  if (job.gpu === 'never' || job.finishedAt !== null || job.counts.running === 0) return {}
  const used = store
    .readModes(job.id)
    .flatMap(({ worker, running }) => (worker === null || running === 0 ? [] : [worker]))
  if (used.length === 0) return {}
  const away = fleet
    .status()
    .flatMap(({ name, reachable }) => (reachable === false && used.includes(name) ? [name] : []))
  if (job.cancelRequestedAt === null) return { workersAway: away }
  return {
    // Its processes are not here.
    cancelGraceMs: undefined,
    workerUnreachableUntil: away.length > 0 ? job.cancelRequestedAt + settings.gpu_lease + marginMs : null,
  }
}
