import type { ErrorRecord } from '../errors.ts'
import type { Json, Progress, RunnerIdentity } from '../job.ts'
import type { Device } from '../wire/prediction.ts'

export interface OutputFacts {
  /** All bytes ever written by the attempt. */
  readonly bytes: number
  /** Bytes between kept head and kept tail that are gone. */
  readonly droppedBytes: number
  /** The last lines, as text with invalid bytes replaced; at most 4 KiB. */
  readonly tail: string
  /** What a command left in `NIGHTKILN_RESULT`; undefined: nothing. */
  readonly result?: Json | undefined
  /** Why what it left there could not be taken. */
  readonly resultProblem?: string | undefined
}

/** A file that an attempt made: `<attempt directory>/artifacts/<name>`. */
export interface ArtifactFacts {
  readonly name: string
  readonly mediaType: string
  readonly bytes: number
  /** Of its content, hex. */
  readonly sha256: string
}

export type StopReason = 'cancel' | 'release'

/** What an attempt that did not complete leaves for the next one; undefined: nothing new. */
interface Resumable {
  readonly checkpoint?: Json | undefined
}

/** How an attempt ended, told exactly once per attempt. Its processes are proven gone before this is told. */
export type AttemptEnd =
  | CommandExit
  /** A handler returned. */
  | {
      readonly kind: 'completed'
      readonly result: Json
      readonly artifacts: readonly ArtifactFacts[]
      readonly elapsedMs: number
      readonly output: OutputFacts
    }
  /** A handler threw, or what it returned could not be taken. */
  | (Resumable & {
      readonly kind: 'failed'
      readonly error: ErrorRecord
      /** `policy`: as the job's backoff says; `never`; or so many ms from now. Only while failures are left. */
      readonly retry: 'policy' | 'never' | { readonly afterMs: number }
      readonly elapsedMs: number
      readonly output: OutputFacts
    })
  /** It was told to slow down: its lane waits, nothing counts as a failure. */
  | (Resumable & {
      readonly kind: 'rate_limited'
      readonly waitMs: number
      readonly message: string
      readonly elapsedMs: number
      readonly output: OutputFacts
    })
  | { readonly kind: 'not_started'; readonly error: ErrorRecord; readonly elapsedMs: number }
  | (Resumable & {
      readonly kind: 'timed_out'
      readonly which: 'unit' | 'idle'
      readonly limitMs: number
      readonly elapsedMs: number
      readonly output: OutputFacts
    })
  | (Resumable & {
      readonly kind: 'stopped'
      readonly reason: StopReason
      readonly survivors: readonly number[]
      readonly elapsedMs: number
      readonly output: OutputFacts
    })
  /**
   * Nothing ran, or what ran was ended for a reason that lies outside of it: given back unharmed. `backOff`: the machine cannot
   * start anything now (EAGAIN, EMFILE, ENOMEM). `unavailable`: its handler could not be loaded.
   */
  | (Resumable & {
      readonly kind: 'released'
      readonly message: string
      readonly backOff: boolean
      readonly unavailable?: true | undefined
      readonly elapsedMs: number
    })
  /**
   * A GPU worker could not bring it to an end: its unit goes to another worker, or falls back to this machine. No failure of the
   * job; nothing counts.
   */
  | (Resumable & {
      readonly kind: 'returned'
      readonly to: 'gpu' | 'local'
      /** What the worker, or the way to it, really said. */
      readonly error: ErrorRecord
      /** `restarted`: the worker was restarted; after a second one it falls back. */
      readonly why: 'unreachable' | 'busy' | 'refused' | 'lease_expired' | 'restarted' | 'out_of_memory' | 'not_served'
      readonly elapsedMs: number
      readonly output: OutputFacts
    })
  /** Ran and vanished. `countsAsCrash` is false when something else may have ended it: a reboot, another attempt's crash. */
  | (Resumable & {
      readonly kind: 'lost'
      readonly message: string
      readonly countsAsCrash: boolean
      readonly elapsedMs: number
      readonly output: OutputFacts
    })

/** A command ended by itself. */
export interface CommandExit {
  readonly kind: 'exited'
  readonly exitCode: number
  readonly succeeded: boolean
  readonly elapsedMs: number
  readonly output: OutputFacts
}

/** Hears of one attempt. */
export interface AttemptObserver {
  /** The runner of a command lives: to be recorded, so that a later manager recognises it. */
  started(runner: RunnerIdentity): void
  /** Newest progress; called at most a few times per second. `message` is the last line when nothing else is known. */
  progressed(progress: Progress): void
  /** What computes it, when its handler says so. */
  computesOn?(device: Device): void
  ended(end: AttemptEnd): void
}

/** A running attempt, in the hands of its executor. */
export interface AttemptControl {
  /** Asks it to end, grace, ends it by force, verifies; then `ended` is told with kind `stopped` (or how it ended before). Idempotent. */
  stop(reason: StopReason): void
  /** Awake monotonic ms of this attempt so far. */
  elapsedMs(): number
  latestProgress(): Progress | null
  /** Ms since it last gave a sign (or the start), frozen time excluded; null when it cannot be told. */
  silentMs(): number | null
  /**
   * Stops every process of the attempt but its runner until `thaw`; its clocks stop. Resolves when none runs. Idempotent.
   * @throws QueueError invalid_transition when such an attempt cannot be frozen
   */
  freeze(): Promise<void>
  thaw(): Promise<void>
  /**
   * Writes to the stdin of an interactive command.
   * @throws QueueError invalid_transition when it is not interactive or has ended its input, limit_exceeded when it does not read
   */
  send(text: string, end: boolean): Promise<number>
}
