import type { ErrorRecord } from '../errors.ts'
import type { Fence, Json, Progress, RunnerIdentity } from '../job.ts'

/** A command as it will be run: everything resolved, nothing of the manager's own environment. */
export interface CommandSpec {
  /** Program and arguments; with `shell: true` of the job type already `['/bin/sh', '-c', script]`. */
  readonly argv: readonly string[]
  readonly cwd: string
  /** The whole environment but the marks, which the executor adds. */
  readonly environment: Readonly<Record<string, string>>
  readonly stdin: string | null
  /** Its stdin stays open for `send`; what `stdin` holds comes first. */
  readonly interactive: boolean
  readonly successExitCodes: readonly number[]
}

/** A file in the attempt directory that the command finds by an environment variable. */
export interface TaskFile {
  readonly variable: string
  readonly name: string
  readonly text: string
}

export interface CommandTask {
  readonly fence: Fence
  readonly jobId: string
  readonly spec: CommandSpec
  /**
   * Written before it starts. Beside them every command finds `NIGHTKILN_RESULT`: the path of a file where it may leave its
   * result as JSON, at most 256 KiB.
   */
  readonly files: readonly TaskFile[]
  /** Adoption of an attempt whose job is frozen: its processes stay stopped, its clocks too. */
  readonly frozen: boolean
  readonly unitTimeoutMs: number | null
  readonly idleTimeoutMs: number | null
  readonly cancelGraceMs: number
  /** Head and tail of the output that are kept, together. */
  readonly maxOutputBytes: number
  /** Awake monotonic ms already used by this attempt (adoption). */
  readonly elapsedMs: number
}

export interface OutputFacts {
  /** All bytes ever written by the command. */
  readonly bytes: number
  /** Bytes between kept head and kept tail that are gone. */
  readonly droppedBytes: number
  /** The last lines, as text with invalid bytes replaced; at most 4 KiB. */
  readonly tail: string
  /** What the command left in `NIGHTKILN_RESULT`; undefined: nothing. */
  readonly result?: Json | undefined
  /** Why what it left there could not be taken. */
  readonly resultProblem?: string | undefined
}

/** How an attempt ended, told exactly once per attempt. Its processes are proven gone before this is told. */
export type CommandEnd =
  | {
      readonly kind: 'exited'
      readonly exitCode: number
      readonly succeeded: boolean
      readonly elapsedMs: number
      readonly output: OutputFacts
    }
  | { readonly kind: 'not_started'; readonly error: ErrorRecord; readonly elapsedMs: number }
  | {
      readonly kind: 'timed_out'
      readonly which: 'unit' | 'idle'
      readonly limitMs: number
      readonly elapsedMs: number
      readonly output: OutputFacts
    }
  | {
      readonly kind: 'stopped'
      readonly reason: StopReason
      readonly survivors: readonly number[]
      readonly elapsedMs: number
      readonly output: OutputFacts
    }
  /** The machine cannot start processes now (EAGAIN, EMFILE, ENOMEM): nothing ran. */
  | { readonly kind: 'released'; readonly message: string; readonly elapsedMs: number }
  /** Ran and vanished without an exit status. `otherBoot`: the machine was restarted meanwhile. */
  | {
      readonly kind: 'lost'
      readonly message: string
      readonly otherBoot: boolean
      readonly elapsedMs: number
      readonly output: OutputFacts
    }

export type StopReason = 'cancel' | 'release'

export interface CommandObserver {
  /** The runner lives: to be recorded, so that a later manager recognises it. */
  started(runner: RunnerIdentity): void
  /** Newest progress; called at most a few times per second. `message` is the last line when nothing else is known. */
  progressed(progress: Progress): void
  ended(end: CommandEnd): void
}

export interface LiveCommand {
  /** TERM to the tree, grace, KILL, verify; then `ended` is told with kind `stopped` (or how it ended before). Idempotent. */
  stop(reason: StopReason): void
  /** Awake monotonic ms of this attempt so far. */
  elapsedMs(): number
  latestProgress(): Progress | null
  /** Ms since the last output (or the start), frozen time excluded. */
  silentMs(): number
  /** Stops every process of the attempt but its runner until `thaw`; its clocks stop. Resolves when none runs. Idempotent. */
  freeze(): Promise<void>
  thaw(): Promise<void>
  /**
   * Writes to the stdin of an interactive command.
   * @throws QueueError invalid_transition when it is not interactive or has ended its input, limit_exceeded when it does not read
   */
  send(text: string, end: boolean): Promise<number>
}

/** Runs commands outside the manager, so that they survive it. */
export interface CommandExecutor {
  /** Never throws: what goes wrong is told through `ended`. */
  start(task: CommandTask, observer: CommandObserver): LiveCommand
  /**
   * Takes over an attempt of an earlier manager (DESIGN §2, re-adoption): runner alive → goes on; exit file of this boot →
   * `exited`; neither → the attempt's gate is taken and it ends as `released` (never ran) or `lost` (ran and vanished),
   * after everything with its mark was killed.
   */
  adopt(task: CommandTask, runner: RunnerIdentity | null, observer: CommandObserver): LiveCommand
  /** Reads the kept output by logical offsets; dropped ranges are skipped. */
  readOutput(fence: Pick<Fence, 'unitId' | 'attempt' | 'nonce'>, request: OutputRequest): Promise<OutputSlice>
  /** Stops watching (files, timers) without touching any command: the next manager adopts them. */
  detach(): void
}

export interface OutputRequest {
  /** First logical byte wanted; negative counts from the end. */
  readonly offset: number
  readonly maxBytes: number
}

export interface OutputSlice {
  readonly bytes: Uint8Array
  /** Logical offset of the first returned byte (later than asked when the range was dropped). */
  readonly offset: number
  /** Logical offset after the last returned byte. */
  readonly nextOffset: number
  readonly totalBytes: number
  readonly droppedBytes: number
}

/** What a completed or failed command leaves as its output in the database. */
export interface CommandOutput {
  readonly [key: string]: Json
  readonly exit_code: number | null
  readonly duration_ms: number
  readonly output_bytes: number
  readonly truncated: boolean
  readonly untrusted_output_tail: string
  /** What the command left in `NIGHTKILN_RESULT`. */
  readonly result?: Json
  readonly result_problem?: string
}
