import type { SubmitInput } from '../../../src/domain/wire/submit.ts'
import type { FirstEnd } from './bystander.ts'

/** One thing that a handler should not do, and what must become of it and of its host. */
export interface HostileCase {
  readonly deed: string
  readonly submit?: Partial<SubmitInput>
  readonly code: string
  /** What a person reads. */
  readonly message: RegExp
  /** How its attempts end, in order. */
  readonly outcomes: readonly string[]
  /** How the attempt of a bystander ends first, when the host has to die. */
  readonly bystander?: FirstEnd
  /** Longest run of its attempts together, on a quiet machine. */
  readonly withinMs: number
}

export const graceMs = 200
export const terminateMs = 300
const timeoutMs = 400
/** From the moment of an end until it is recorded; ten looks a second, and a commit. */
const tellMs = 500
const hostStartMs = 1_500

const timedOut = {
  submit: { timeout_s: timeoutMs / 1000 },
  code: 'attempt_timed_out',
  message: /^ran longer than 400 ms \(timeout_s\)$/,
  outcomes: ['timed_out'],
  withinMs: timeoutMs + graceMs + tellMs,
} as const

/** Its process dies with everything in it; alone it does so three times, and is given up. */
const convicted = {
  submit: { backoff: { initial_s: 0.05 } },
  code: 'poison',
  outcomes: ['lost', 'lost', 'lost', 'lost'],
  bystander: 'lost',
  withinMs: 4 * (graceMs + tellMs + hostStartMs),
} as const

export const hostileCases: readonly HostileCase[] = [
  { deed: 'loop', ...timedOut },
  { deed: 'regular_expression', ...timedOut },
  { deed: 'ignores_abort', ...timedOut },
  {
    deed: 'exec_sync',
    ...timedOut,
    bystander: 'released',
    withinMs: timeoutMs + graceMs + terminateMs + tellMs,
  },
  {
    deed: 'exit',
    code: 'handler_failed',
    message: /^the handler called process\.exit\(3\)$/,
    outcomes: ['failed'],
    withinMs: tellMs,
  },
  {
    deed: 'abort',
    code: 'handler_failed',
    message: /^process\.abort\(\) is not supported in workers$/,
    outcomes: ['failed'],
    withinMs: tellMs,
  },
  {
    deed: 'kill',
    ...convicted,
    message:
      /^3 attempts of the unit died without an outcome; the last: a signal told the process of the handler to end$/,
  },
  {
    deed: 'segfault',
    ...convicted,
    message:
      /^3 attempts of the unit died without an outcome; the last: the process of the handler was ended by SIGSEGV/,
  },
  {
    deed: 'heap',
    code: 'out_of_memory',
    message: /^the handler needed more than 64 MB of JavaScript heap$/,
    outcomes: ['failed'],
    withinMs: 3_000,
  },
  {
    deed: 'buffers',
    submit: { backoff: { initial_s: 0.05 } },
    code: 'out_of_memory',
    message: /^the attempt took the memory of its host process over 768 MB \(host_memory\), buffers included$/,
    outcomes: ['lost', 'failed'],
    bystander: 'lost',
    withinMs: 5_000,
  },
  {
    deed: 'throw_undefined',
    code: 'handler_failed',
    message: /^the handler threw undefined$/,
    outcomes: ['failed'],
    withinMs: tellMs,
  },
  {
    deed: 'rejection',
    code: 'handler_failed',
    message: /^a promise was rejected and nobody waited for it: nobody waits for this$/,
    outcomes: ['failed'],
    withinMs: tellMs,
  },
  {
    deed: 'cyclic',
    code: 'result_invalid',
    message: /^result is nested more than 100 levels deep, or holds itself$/,
    outcomes: ['failed'],
    withinMs: tellMs,
  },
  {
    deed: 'big_integer',
    code: 'result_invalid',
    message: /^result\.items\[1\]\.n is a BigInt$/,
    outcomes: ['failed'],
    withinMs: tellMs,
  },
]
