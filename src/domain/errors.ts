export interface ErrorKind {
  /** Exit code of the command line. */
  readonly exitCode: number
  readonly httpStatus: number
  /** True when the same call may succeed later without a change. */
  readonly retryable: boolean
  readonly meaning: string
  /** What a person or a model should do next. */
  readonly remedy: string
}

/** Every code that may reach a user. Codes are public and stable: never edited, only added. */
export const errorKinds = {
  invalid_input: {
    exitCode: 2,
    httpStatus: 400,
    retryable: false,
    meaning: 'An argument is missing, has the wrong type or a value that cannot work.',
    remedy: 'Correct the named argument and call again.',
  },
  unknown_job_type: {
    exitCode: 2,
    httpStatus: 400,
    retryable: false,
    meaning: 'No job type has that name.',
    remedy: 'Call list_job_types {} (nightkiln types) and use one of its names.',
  },
  job_not_found: {
    exitCode: 3,
    httpStatus: 404,
    retryable: false,
    meaning: 'No job has that id; it may have been pruned.',
    remedy: 'Call list_jobs {"limit":20} (nightkiln list) to find the id.',
  },
  task_not_found: {
    exitCode: 3,
    httpStatus: 404,
    retryable: false,
    meaning: 'No task has that id, or it belongs to somebody else, or its jobs were pruned.',
    remedy: 'Call whats_new or list_jobs (nightkiln list): the jobs themselves do not depend on a task.',
  },
  unit_not_found: {
    exitCode: 3,
    httpStatus: 404,
    retryable: false,
    meaning: 'The job has no unit or attempt with that number.',
    remedy: 'Call job_status with detail "full" to see its units and attempts.',
  },
  invalid_transition: {
    exitCode: 4,
    httpStatus: 409,
    retryable: false,
    meaning: 'The job is in a state in which this cannot be done.',
    remedy: 'Look at the job with job_status; a final job can only be rerun.',
  },
  idempotency_conflict: {
    exitCode: 4,
    httpStatus: 409,
    retryable: false,
    meaning: 'The idempotency key was used before for a job with other content.',
    remedy: 'Use another key for a new job, or repeat the first content exactly.',
  },
  limit_exceeded: {
    exitCode: 5,
    httpStatus: 429,
    retryable: true,
    meaning: 'A limit was reached: size, number, or calls in flight.',
    remedy: 'Wait as long as retry_after_ms says, or make the request smaller.',
  },
  lease_lost: {
    exitCode: 6,
    httpStatus: 409,
    retryable: false,
    meaning: 'The attempt no longer holds its unit; its result is dropped.',
    remedy: 'Nothing: another attempt is responsible.',
  },
  attempt_timed_out: {
    exitCode: 6,
    httpStatus: 504,
    retryable: true,
    meaning: 'The attempt ran longer than its timeout, or was silent longer than its idle timeout.',
    remedy: 'Rerun with a longer timeout_s or idle_timeout_s.',
  },
  command_failed: {
    exitCode: 6,
    httpStatus: 500,
    retryable: true,
    meaning: 'The command ended with an exit code that does not count as success, or by a signal.',
    remedy: 'Read job_logs; then rerun, with a correction if needed.',
  },
  command_not_started: {
    exitCode: 6,
    httpStatus: 400,
    retryable: false,
    meaning: 'The command could not be started: program or directory missing, not executable, or arguments too long.',
    remedy: 'Correct what the message names and submit again.',
  },
  handler_failed: {
    exitCode: 6,
    httpStatus: 500,
    retryable: true,
    meaning: 'The handler of the job type threw an error.',
    remedy: 'Read job_logs; then rerun.',
  },
  handler_rejected: {
    exitCode: 6,
    httpStatus: 422,
    retryable: false,
    meaning: 'The handler refused the input for good.',
    remedy: 'Submit again with other input.',
  },
  handler_unavailable: {
    exitCode: 6,
    httpStatus: 409,
    retryable: false,
    meaning: 'The file of the job type cannot be used: it is broken, or it was removed.',
    remedy: 'Correct the file that the message names; nightkiln types shows when it is well.',
  },
  result_invalid: {
    exitCode: 6,
    httpStatus: 500,
    retryable: false,
    meaning: 'What the handler returned is no JSON, does not fit its own schema, or is too large.',
    remedy: 'Correct the handler; large results belong into an artifact.',
  },
  out_of_memory: {
    exitCode: 6,
    httpStatus: 500,
    retryable: true,
    meaning: 'The attempt needed more memory than it may have.',
    remedy: 'Make its units smaller, or allow it more memory in the configuration.',
  },
  worker_crashed: {
    exitCode: 6,
    httpStatus: 500,
    retryable: true,
    meaning: 'The process that ran the attempt vanished; what it did is unknown.',
    remedy: 'Check the effects of the job, then rerun if it is safe.',
  },
  poison: {
    exitCode: 6,
    httpStatus: 500,
    retryable: false,
    meaning: 'Three attempts of the unit died without an outcome; it is not tried again.',
    remedy: 'Find out what kills it (memory?), then rerun.',
  },
  input_rejected: {
    exitCode: 6,
    httpStatus: 422,
    retryable: false,
    meaning: 'The command refused its input by one of rejected_exit_codes; it is not tried again.',
    remedy: 'Correct the input of the unit and rerun it.',
  },
  rate_limited: {
    exitCode: 6,
    httpStatus: 429,
    retryable: true,
    meaning: 'The attempt was told to slow down; its queue, or its key, waits and nothing counts as a failure.',
    remedy: 'Nothing: it goes on by itself.',
  },
  gpu_unavailable: {
    exitCode: 7,
    httpStatus: 503,
    retryable: true,
    meaning: 'No GPU worker could take the attempt.',
    remedy:
      'The message says why each worker did not; queue_status {"test_gpu":true} (nightkiln gpu test) what to do about one that cannot be reached. Or let the job fall back (gpu: "prefer").',
  },
  manager_unavailable: {
    exitCode: 7,
    httpStatus: 503,
    retryable: true,
    meaning: 'The manager could not be reached or started.',
    remedy: 'Run nightkiln doctor; it names the cause.',
  },
  version_mismatch: {
    exitCode: 7,
    httpStatus: 426,
    retryable: false,
    meaning: 'Client and manager speak no common API version, or belong to different state directories.',
    remedy: 'Update the older of the two; the message names both versions.',
  },
  storage_busy: {
    exitCode: 8,
    httpStatus: 503,
    retryable: true,
    meaning: 'The database is locked by a foreign process or is being reopened.',
    remedy: 'Repeat the call with the same idempotency key.',
  },
  storage_full: {
    exitCode: 8,
    httpStatus: 507,
    retryable: true,
    meaning: 'The disk is full or below the free-space floor.',
    remedy: 'Free disk space; running jobs keep their results.',
  },
  storage_refused: {
    exitCode: 8,
    httpStatus: 500,
    retryable: false,
    meaning: 'The state directory or its database is not what it was: damaged, replaced, emptied or restored.',
    remedy: 'Run nightkiln doctor before anything else.',
  },
  outcome_unknown: {
    exitCode: 8,
    httpStatus: 500,
    retryable: true,
    meaning: 'The storage failed in the middle: the call may or may not have taken effect.',
    remedy: 'Repeat the call with the same idempotency key.',
  },
  schema_too_new: {
    exitCode: 8,
    httpStatus: 500,
    retryable: false,
    meaning: 'The database was written by a newer version.',
    remedy: 'Start the newer version that the message names.',
  },
  config_invalid: {
    exitCode: 9,
    httpStatus: 500,
    retryable: false,
    meaning: 'The configuration or an environment variable cannot be read or has a bad value.',
    remedy: 'Correct the named setting.',
  },
  internal: {
    exitCode: 1,
    httpStatus: 500,
    retryable: false,
    meaning: 'A defect of Nightkiln.',
    remedy: 'Look at nightkiln manager logs and report it.',
  },
} as const satisfies Record<string, ErrorKind>

export type ErrorCode = keyof typeof errorKinds
export const errorCodes = Object.keys(errorKinds) as ErrorCode[]

export type ErrorDetails = Readonly<Record<string, unknown>>

/** The one error that crosses module borders: a stable code, what happened, what to do next. */
export class QueueError extends Error {
  readonly code: ErrorCode
  readonly remedy: string
  readonly details: ErrorDetails

  constructor(
    code: ErrorCode,
    message: string,
    options: { remedy?: string; details?: ErrorDetails; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'QueueError'
    this.code = code
    this.remedy = options.remedy ?? errorKinds[code].remedy
    this.details = options.details ?? {}
  }

  get retryable(): boolean {
    return errorKinds[this.code].retryable
  }
}

/** What is stored with a failed attempt and shown to people: never a stack. */
export interface ErrorRecord {
  readonly code: ErrorCode
  readonly message: string
  readonly remedy: string
  readonly details?: ErrorDetails | undefined
}

/** @returns the storable form of any thrown value; unknown values become `internal` with their message only. */
export function toErrorRecord(thrown: unknown): ErrorRecord {
  if (thrown instanceof QueueError) {
    return {
      code: thrown.code,
      message: thrown.message,
      remedy: thrown.remedy,
      ...(Object.keys(thrown.details).length > 0 ? { details: thrown.details } : {}),
    }
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  return { code: 'internal', message, remedy: errorKinds.internal.remedy }
}
