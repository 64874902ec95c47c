import { errorKinds } from '../domain/errors.ts'
import type { JobView } from '../domain/wire/shared.ts'

/** Exit codes that are outcomes, not errors; the codes 1 to 9 belong to the errors (docs/errors.md). */
export const outcomeExitCodes = {
  success: { code: 0, meaning: 'Done; with wait: every job completed' },
  job_failed: { code: 6, meaning: 'A job that was waited for failed' },
  job_cancelled: { code: 10, meaning: 'A job that was waited for was cancelled' },
  job_completed_with_failures: {
    code: 11,
    meaning: 'A job that was waited for completed, but some of its units failed',
  },
  still_unfinished: { code: 12, meaning: 'The time ran out before the jobs ended; they go on' },
  needs_decision: { code: 14, meaning: 'A job that was waited for waits for nightkiln approve or reject' },
  problem_found: { code: 13, meaning: 'doctor found a problem, or gpu test a worker that cannot be used' },
  interrupted: { code: 130, meaning: 'Interrupted by Ctrl-C; jobs go on' },
} as const

/** What a wait ended with. */
export interface WaitOutcome {
  readonly satisfied: boolean
  readonly jobs: readonly Pick<JobView, 'state' | 'final'>[]
  readonly missing: readonly string[]
}

/**
 * @returns the exit code of a wait: a missing job first, then time that ran out, then the worst end of a job.
 */
export function waitExitCode(outcome: WaitOutcome): number {
  if (outcome.missing.length > 0) return errorKinds.job_not_found.exitCode
  if (!outcome.satisfied) {
    return waitsForPerson(outcome.jobs) ? outcomeExitCodes.needs_decision.code : outcomeExitCodes.still_unfinished.code
  }
  const ended = outcome.jobs.filter((job) => job.final)
  if (ended.some((job) => job.state === 'failed')) return outcomeExitCodes.job_failed.code
  if (ended.some((job) => job.state === 'cancelled')) return outcomeExitCodes.job_cancelled.code
  if (ended.some((job) => job.state === 'completed_with_failures'))
    return outcomeExitCodes.job_completed_with_failures.code
  return outcomeExitCodes.success.code
}

/** True when nothing more happens to these jobs before a person decides. */
export function waitsForPerson(jobs: readonly Pick<JobView, 'state' | 'final'>[]): boolean {
  const unfinished = jobs.filter((job) => !job.final)
  return unfinished.length > 0 && unfinished.every((job) => job.state === 'awaiting_approval')
}
