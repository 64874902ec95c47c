import { formatDuration } from '../../domain/format-duration.ts'
import type { Job, JobOptions } from '../../domain/job.ts'
import { poisonLimit } from '../../domain/retry-policy.ts'

/** What will happen to a submitted job, in sentences: nothing about retries or limits is to be a surprise. */
export function submitNotes(job: Job, options: JobOptions): string[] {
  return [
    job.maxAttempts === 1
      ? 'A failed run is not retried (max_attempts 1).'
      : `A failed run is retried up to ${job.maxAttempts - 1} times, after ${formatDuration(options.backoff.initialMs)} at first and at most ${formatDuration(options.backoff.maxMs)}.`,
    options.rerunWhenLost
      ? `If its processes vanish (power cut, reboot), it is run again, up to ${poisonLimit} vanished attempts; rerun_when_lost: false prevents that.`
      : 'If its processes vanish (power cut, reboot), it fails and is not run again.',
    ...(options.unitTimeoutMs === null
      ? []
      : [`Each attempt is ended after ${formatDuration(options.unitTimeoutMs)}.`]),
    ...(options.idleTimeoutMs === null
      ? []
      : [`It is ended after ${formatDuration(options.idleTimeoutMs)} without output.`]),
  ]
}
