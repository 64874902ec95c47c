import type { Command } from 'commander'
import { integersOption, secondsOption, wordsOption } from './option-values.ts'

/** Options that say which failures are retried and what is no failure; the same for submit and rerun. */
export interface RetryOptions {
  readonly retryOn?: string
  readonly retryExitCodes?: string
  readonly rejectedExitCodes?: string
  readonly rateLimitedCodes?: string
  readonly rateLimitedText?: string
  readonly rateLimitedWait?: string
}

/** Adds the options of RetryOptions to a command. */
export function addRetryOptions(command: Command): Command {
  return command
    .option('--retry-on <kinds>', 'failures that are retried: exit_code, timeout or both with a comma (default: both)')
    .option('--retry-exit-codes <numbers>', 'only these exit codes are retried, such as 1,75')
    .option('--rejected-exit-codes <numbers>', 'exit codes that are never retried: the input is bad')
    .option(
      '--rate-limited-codes <numbers>',
      'exit codes that say "slow down": its queue (or key) waits, no failure counts',
    )
    .option('--rate-limited-text <text>', 'text in its last output that says "slow down", such as 429')
    .option('--rate-limited-wait <length>', 'how long then, when its output names no time (default 60s)')
}

/** @returns what the options say about retries, by the names of the wire; only what was given. */
export function retriesOf(options: RetryOptions): Readonly<Record<string, unknown>> {
  const limited = {
    ...(options.rateLimitedCodes === undefined
      ? {}
      : { exit_codes: integersOption('--rate-limited-codes', options.rateLimitedCodes) }),
    ...(options.rateLimitedText === undefined ? {} : { text: options.rateLimitedText }),
    ...(options.rateLimitedWait === undefined
      ? {}
      : { wait_s: secondsOption('--rate-limited-wait', options.rateLimitedWait) }),
  }
  return {
    ...(options.retryOn === undefined ? {} : { retry_on: wordsOption('--retry-on', options.retryOn) }),
    ...(options.retryExitCodes === undefined
      ? {}
      : { retry_exit_codes: integersOption('--retry-exit-codes', options.retryExitCodes) }),
    ...(options.rejectedExitCodes === undefined
      ? {}
      : { rejected_exit_codes: integersOption('--rejected-exit-codes', options.rejectedExitCodes) }),
    ...(Object.keys(limited).length === 0 ? {} : { rate_limited: limited }),
  }
}
