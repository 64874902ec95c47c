import { type ErrorRecord, errorKinds } from '../../domain/errors.ts'
import { formatDuration } from '../../domain/format-duration.ts'
import type { Fence, JobOptions, Json } from '../../domain/job.ts'
import type { AttemptEnd, OutputFacts } from '../../domain/ports/attempt.ts'
import type { CommandOutput } from '../../domain/ports/executor.ts'
import type { GpuReturn } from '../../domain/ports/gpu-store.ts'
import type { EndFacts, JobStore, UnitEnd } from '../../domain/ports/job-store.ts'
import { retryDelay } from '../../domain/retry-policy.ts'
import { classOfExit, holdOf } from './failure-class.ts'

const silent: OutputFacts = { bytes: 0, droppedBytes: 0, tail: '' }

export interface EndedAttempt {
  readonly fence: Fence
  readonly options: JobOptions
  /** Failures of the unit before this attempt. */
  readonly failures: number
}

export interface RecordedEnd {
  readonly ended: UnitEnd
  /** The unit was told to slow down: its lane waits until then, wall ms. */
  readonly heldUntil: number | null
}

/**
 * Turns the end of a command into the one change of its unit.
 * @returns null when the fence refused it
 */
export function recordEnd(
  store: JobStore,
  attempt: EndedAttempt,
  end: AttemptEnd,
  at: { readonly now: number; readonly random: () => number },
): RecordedEnd | null {
  if (end.kind === 'exited' && !end.succeeded) return recordFailedExit(store, attempt, end, at)
  if (end.kind === 'rate_limited') return recordSlowDown(store, attempt, end, at.now)
  const ended = recordOther(store, attempt, end, at)
  return ended === null ? null : { ended, heldUntil: null }
}

function recordFailedExit(
  store: JobStore,
  { fence, options, failures }: EndedAttempt,
  end: Extract<AttemptEnd, { kind: 'exited' }>,
  at: { readonly now: number; readonly random: () => number },
): RecordedEnd | null {
  const { exitCode, elapsedMs, output } = end
  const result = commandOutput(exitCode, elapsedMs, output)
  const facts = (error: ErrorRecord) => endFacts(end, error, exitCode, at.now)
  const failure = classOfExit(options, exitCode, output.tail, at.now)
  if (failure.kind === 'rate_limited') {
    const error: ErrorRecord = {
      code: 'rate_limited',
      message: `told to slow down (exit code ${exitCode}): waits ${formatDuration(failure.until - at.now)}`,
      remedy: errorKinds.rate_limited.remedy,
      details: { exit_code: exitCode, output_tail: output.tail },
    }
    const ended = store.deferUnitIfHeld(fence, failure.until, result, facts(error))
    return ended === null ? null : { ended, heldUntil: failure.until }
  }
  const retryAt = failure.kind === 'retryable' ? at.now + retryDelay(options.backoff, failures + 1, at.random()) : null
  const error = failure.kind === 'rejected' ? rejection(exitCode, output.tail) : exitError(exitCode, output.tail)
  const ended = store.failUnitIfHeld(fence, 'failed', retryAt, result, facts(error))
  return ended === null ? null : { ended, heldUntil: null }
}

function recordSlowDown(
  store: JobStore,
  { fence }: EndedAttempt,
  end: Extract<AttemptEnd, { kind: 'rate_limited' }>,
  now: number,
): RecordedEnd | null {
  const until = now + holdOf(end.waitMs)
  const error: ErrorRecord = {
    code: 'rate_limited',
    message: `told to slow down: ${end.message}; waits ${formatDuration(until - now)}`,
    remedy: errorKinds.rate_limited.remedy,
  }
  const ended = store.deferUnitIfHeld(fence, until, handlerOutput(end, error), endFacts(end, error, null, now))
  return ended === null ? null : { ended, heldUntil: until }
}

function recordOther(
  store: JobStore,
  attempt: EndedAttempt,
  end: Exclude<AttemptEnd, { kind: 'rate_limited' }>,
  at: { readonly now: number; readonly random: () => number },
): UnitEnd | null {
  const { fence, options } = attempt
  const output = 'output' in end ? end.output : silent
  const facts = (error: ErrorRecord | null, exitCode: number | null = null) => endFacts(end, error, exitCode, at.now)
  const retryAt = at.now + retryDelay(options.backoff, attempt.failures + 1, at.random())
  switch (end.kind) {
    case 'exited':
      return store.completeUnitIfHeld(
        fence,
        commandOutput(end.exitCode, end.elapsedMs, output),
        facts(null, end.exitCode),
      )
    case 'timed_out':
      return store.failUnitIfHeld(
        fence,
        'timed_out',
        options.retry.timeout ? retryAt : null,
        commandOutput(null, end.elapsedMs, output),
        facts(timeoutError(end, output.tail)),
      )
    case 'stopped': {
      const result = commandOutput(null, end.elapsedMs, output)
      const error = end.survivors.length === 0 ? null : survivorsError(end.survivors)
      return end.reason === 'cancel'
        ? store.cancelUnitIfHeld(fence, result, facts(error))
        : store.releaseUnitIfHeld(fence, facts(error))
    }
    case 'completed':
      return store.completeUnitIfHeld(fence, { result: end.result }, facts(null))
    case 'failed': {
      const { retry } = end
      const named = retry === 'never' ? null : retry === 'policy' ? retryAt : at.now + retry.afterMs
      return store.failUnitIfHeld(fence, 'failed', named, handlerOutput(end, end.error), facts(end.error))
    }
    case 'not_started':
      return store.failUnitIfHeld(fence, 'failed', null, null, facts(end.error))
    case 'released':
      return store.releaseUnitIfHeld(
        fence,
        facts({
          code: end.unavailable === true ? 'handler_unavailable' : 'limit_exceeded',
          message: end.message,
          remedy: 'It is tried again by itself.',
        }),
      )
    case 'returned':
      return store.returnUnitIfHeld(fence, returnOf(end, at.now), facts(end.error))
    case 'lost':
      return store.loseUnitIfHeld(
        fence,
        { mayRerun: options.rerunWhenLost, countsAsCrash: end.countsAsCrash, retryAt },
        facts({
          code: 'worker_crashed',
          message: end.message,
          remedy: 'Check what it did, then rerun if that is safe.',
        }),
      )
  }
}

/** What no worker would take a moment ago is not offered again at once. */
const offerPauseMs = 2_000
const takesAgain: ReadonlySet<string> = new Set(['lease_expired', 'restarted'])

function returnOf({ to, why }: Extract<AttemptEnd, { kind: 'returned' }>, now: number): GpuReturn {
  const pauseMs = to === 'local' || takesAgain.has(why) ? 0 : offerPauseMs
  return { to, restarted: why === 'restarted', availableAt: now + pauseMs }
}

function endFacts(end: AttemptEnd, error: ErrorRecord | null, exitCode: number | null, now: number): EndFacts {
  const output = 'output' in end ? end.output : silent
  return {
    exitCode,
    error,
    elapsedMs: end.elapsedMs,
    outputBytes: output.bytes,
    droppedBytes: output.droppedBytes,
    now,
  }
}

function commandOutput(exitCode: number | null, elapsedMs: number, output: OutputFacts): CommandOutput {
  return {
    exit_code: exitCode,
    duration_ms: Math.round(elapsedMs),
    output_bytes: output.bytes,
    truncated: output.droppedBytes > 0,
    untrusted_output_tail: output.tail,
    ...(output.result === undefined ? {} : { result: output.result }),
    ...(output.resultProblem === undefined ? {} : { result_problem: output.resultProblem }),
  }
}

/** What a handler that did not complete leaves: how long it ran and what it said last. */
function handlerOutput({ elapsedMs, output }: { elapsedMs: number; output: OutputFacts }, error: ErrorRecord): Json {
  return {
    error: { code: error.code, message: error.message },
    duration_ms: Math.round(elapsedMs),
    output_bytes: output.bytes,
    untrusted_output_tail: output.tail,
  }
}

function rejection(exitCode: number, tail: string): ErrorRecord {
  return {
    code: 'input_rejected',
    message: `exit code ${exitCode}, which stands for bad input (rejected_exit_codes)`,
    remedy: errorKinds.input_rejected.remedy,
    details: { exit_code: exitCode, output_tail: tail },
  }
}

/** Exit codes above 128 are the shell's way to name a signal. */
const signalNames: Readonly<Record<number, string>> = {
  1: 'SIGHUP',
  2: 'SIGINT',
  3: 'SIGQUIT',
  4: 'SIGILL',
  6: 'SIGABRT',
  8: 'SIGFPE',
  9: 'SIGKILL',
  11: 'SIGSEGV',
  13: 'SIGPIPE',
  15: 'SIGTERM',
}

function exitError(exitCode: number, tail: string): ErrorRecord {
  const signal = signalNames[exitCode - 128]
  const what = signal === undefined ? `exit code ${exitCode}` : `exit code ${exitCode} (${signal})`
  return {
    code: 'command_failed',
    message: what,
    remedy:
      exitCode === 137
        ? 'Something killed it, often the lack of memory; read job_logs, then rerun.'
        : 'Read job_logs; then rerun, with a correction if needed.',
    details: { exit_code: exitCode, output_tail: tail },
  }
}

function timeoutError(end: Extract<AttemptEnd, { kind: 'timed_out' }>, tail: string): ErrorRecord {
  const limit = formatDuration(end.limitMs)
  return {
    code: 'attempt_timed_out',
    message:
      end.which === 'idle'
        ? `no output or progress for ${limit} (idle_timeout_s)`
        : `ran longer than ${limit} (timeout_s)`,
    remedy: end.which === 'idle' ? 'Rerun with a longer idle_timeout_s.' : 'Rerun with a longer timeout_s.',
    details: { output_tail: tail },
  }
}

function survivorsError(survivors: readonly number[]): ErrorRecord {
  return {
    code: 'worker_crashed',
    message: `processes ${survivors.join(', ')} could not be ended`,
    remedy: 'End them by hand; they ignore or outlive SIGKILL (often a stuck disk or network mount).',
  }
}
