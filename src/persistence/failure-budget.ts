import type { CancelReason, FinalJobState } from '../domain/states.ts'
import type { JobRow } from './job-row.ts'

/** A percentage of a handful of units says nothing yet. */
const endedBeforePercentCounts = 10

/** True when the failed units are more than the job may have. @param total units it will have had */
export function isBudgetExceeded(job: JobRow, total: number): boolean {
  const { failure_budget: units, failure_budget_percent: percent, count_failed: failed } = job
  if (units === null && percent === null) return failed > 0
  if (units !== null && failed > units) return true
  return percent !== null && failed * 100 > percent * total
}

/** True when the rest of the job is to be cancelled now because of its failed units. @param waiting units to be added */
export function mustStopEarly(job: JobRow, waiting: number): boolean {
  if (job.stop_early === 0 || job.cancel_requested_at !== null) return false
  const { failure_budget: units, failure_budget_percent: percent } = job
  const ended = job.count_completed + job.count_failed + job.count_cancelled
  const countsPercent = percent !== null && ended >= endedBeforePercentCounts
  const judged = countsPercent ? job : { ...job, failure_budget_percent: null }
  if (units === null && percent !== null && !countsPercent) return false
  return isBudgetExceeded(judged, job.count_total + waiting)
}

/** What decides how a job ends beside its counts. */
export interface Ending {
  /** How the unit of the final step ended; null when there was none. */
  readonly finalStep: string | null
  /** A source had more to give. */
  readonly isCutShort: boolean
}

const wishes: ReadonlySet<CancelReason> = new Set<CancelReason>(['user', 'dependency', 'rejected', 'overlap'])

/**
 * How a job ends whose units can move no more. A cancel that came too late to prevent anything leaves it as it would have
 * ended; one that was not a wish (a failed unit, a deadline) leaves it failed.
 */
export function finalStateOf(job: JobRow, ending: Ending): FinalJobState {
  const reason = job.cancel_reason
  if (reason !== null && wasPrevented(job, ending)) return wishes.has(reason) ? 'cancelled' : 'failed'
  if (ending.finalStep === 'failed') return 'failed'
  return isBudgetExceeded(job, job.count_total) ? 'failed' : 'completed'
}

function wasPrevented(job: JobRow, ending: Ending): boolean {
  const isFinalStepMissing = job.final_step_state === 'waiting' || ending.finalStep === 'cancelled'
  // One that is kept open ends by a cancel alone.
  return job.count_cancelled > 0 || job.keep_open === 1 || ending.isCutShort || isFinalStepMissing
}
