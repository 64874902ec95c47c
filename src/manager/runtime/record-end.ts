import type { ErrorRecord } from '../../domain/errors.ts'
import { formatDuration } from '../../domain/format-duration.ts'
import type { Fence, JobOptions } from '../../domain/job.ts'
import type { CommandEnd, CommandOutput, OutputFacts } from '../../domain/ports/executor.ts'
import type { EndFacts, JobStore, UnitEnd } from '../../domain/ports/job-store.ts'
import { retryDelay } from '../../domain/retry-policy.ts'

const silent: OutputFacts = { bytes: 0, droppedBytes: 0, tail: '' }

/**
 * Turns the end of a command into the one change of its unit.
 * @returns null when the fence refused it
 */
export function recordEnd(
  store: JobStore,
  attempt: { readonly fence: Fence; readonly options: JobOptions; readonly failures: number },
  end: CommandEnd,
  at: { readonly now: number; readonly random: () => number },
): UnitEnd | null {
  const { fence, options } = attempt
  const output = 'output' in end ? end.output : silent
  const facts = (error: ErrorRecord | null, exitCode: number | null = null): EndFacts => ({
    exitCode,
    error,
    elapsedMs: end.elapsedMs,
    outputBytes: output.bytes,
    droppedBytes: output.droppedBytes,
    now: at.now,
  })
  const retryAt = at.now + retryDelay(options.backoff, attempt.failures + 1, at.random())
  switch (end.kind) {
    case 'exited': {
      const result = commandOutput(end.exitCode, end.elapsedMs, output)
      if (end.succeeded) return store.completeUnitIfHeld(fence, result, facts(null, end.exitCode))
      return store.failUnitIfHeld(
        fence,
        'failed',
        retryAt,
        result,
        facts(exitError(end.exitCode, output.tail), end.exitCode),
      )
    }
    case 'timed_out':
      return store.failUnitIfHeld(
        fence,
        'timed_out',
        retryAt,
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
    case 'not_started':
      return store.failUnitIfHeld(fence, 'failed', null, null, facts(end.error))
    case 'released':
      return store.releaseUnitIfHeld(
        fence,
        facts({ code: 'limit_exceeded', message: end.message, remedy: 'It is tried again by itself.' }),
      )
    case 'lost':
      return store.loseUnitIfHeld(
        fence,
        { mayRerun: options.rerunWhenLost, countsAsCrash: !end.otherBoot, retryAt },
        facts({
          code: 'worker_crashed',
          message: end.message,
          remedy: 'Check what it did, then rerun if that is safe.',
        }),
      )
  }
}

function commandOutput(exitCode: number | null, elapsedMs: number, output: OutputFacts): CommandOutput {
  return {
    exit_code: exitCode,
    duration_ms: Math.round(elapsedMs),
    output_bytes: output.bytes,
    truncated: output.droppedBytes > 0,
    untrusted_output_tail: output.tail,
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

function timeoutError(end: Extract<CommandEnd, { kind: 'timed_out' }>, tail: string): ErrorRecord {
  const limit = formatDuration(end.limitMs)
  return {
    code: 'attempt_timed_out',
    message: end.which === 'idle' ? `no output for ${limit} (idle_timeout_s)` : `ran longer than ${limit} (timeout_s)`,
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
