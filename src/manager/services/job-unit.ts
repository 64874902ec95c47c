import { QueueError } from '../../domain/errors.ts'
import type { Job, Unit } from '../../domain/job.ts'
import type { ServiceContext } from './service-context.ts'

/**
 * @returns a job and its unit at a position (from 0)
 * @throws QueueError job_not_found, unit_not_found
 */
export function unitAt(
  context: ServiceContext,
  jobId: string,
  position: number,
): { readonly job: Job; readonly unit: Unit } {
  const job = context.store.readJob(jobId)
  if (job === null) throw new QueueError('job_not_found', `no job has the id ${jobId}`)
  const unit = context.store.readUnits(jobId, { afterPosition: position - 1, limit: 1 })[0]
  if (unit === undefined || unit.position !== position) {
    throw new QueueError(
      'unit_not_found',
      `job ${jobId} has no unit ${position}; it has ${job.counts.total}, numbered from 0`,
    )
  }
  return { job, unit }
}
