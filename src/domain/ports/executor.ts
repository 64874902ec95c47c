import type { Fence, Json, RunnerIdentity } from '../job.ts'
import type { AttemptControl, AttemptObserver } from './attempt.ts'

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

/** Runs commands outside the manager, so that they survive it. */
export interface CommandExecutor {
  /** Never throws: what goes wrong is told through `ended`. */
  start(task: CommandTask, observer: AttemptObserver): AttemptControl
  /**
   * Takes over an attempt of an earlier manager (DESIGN §2, re-adoption): runner alive → goes on; exit file of this boot →
   * `exited`; neither → the attempt's gate is taken and it ends as `released` (never ran) or `lost` (ran and vanished),
   * after everything with its mark was killed.
   */
  adopt(task: CommandTask, runner: RunnerIdentity | null, observer: AttemptObserver): AttemptControl
  /** Reads the kept output of an attempt, also of a handler's, by logical offsets; dropped ranges are skipped. */
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
