import type { ErrorRecord } from './errors.ts'
import type { CancelReason } from './states.ts'

/** Why a job failed that was ended for a reason of its own and has no failed unit to tell it; null: the units tell. */
export function errorOfCancel(reason: CancelReason | null): ErrorRecord | null {
  switch (reason) {
    case 'deadline':
      return {
        code: 'attempt_timed_out',
        message: 'The job did not end within its total time.',
        remedy: 'Rerun it with more time.',
      }
    case 'source':
      return {
        code: 'storage_refused',
        message: 'The file with the rest of its units is missing or damaged: they could not be added.',
        remedy: 'Submit the rest as a new job; list_units shows what was added.',
      }
    default:
      return null
  }
}
