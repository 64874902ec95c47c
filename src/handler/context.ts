/** Any JSON value. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

export interface Cancellation {
  /** True once the attempt is to end; also right in a loop that never awaits. */
  readonly isCancelled: boolean
  /** @throws Cancelled when the attempt is to end */
  throwIfCancelled(): void
  /** Resolves after `ms`. @throws Cancelled as soon as the attempt is to end */
  wait(ms: number): Promise<void>
}

export interface HandlerLog {
  info(message: string, details?: Readonly<Record<string, unknown>>): void
  warn(message: string, details?: Readonly<Record<string, unknown>>): void
  error(message: string, details?: Readonly<Record<string, unknown>>): void
}

export interface Artifact {
  readonly name: string
  readonly mediaType: string
  readonly bytes: number
  /** Of the content, hex. */
  readonly sha256: string
  /** Absolute path. */
  readonly path: string
}

export interface SpawnOptions {
  /** Default: the submitting client's directory, else the attempt's own. */
  readonly cwd?: string
  /** Added to the submitting client's environment. */
  readonly env?: Readonly<Record<string, string>>
  readonly stdin?: string | Uint8Array
  /** Of stdout and stderr each; more is cut in the middle of the text that is returned. Default 1 MiB. */
  readonly maxOutputBytes?: number
  /** Every piece of output as it comes. Without it, output goes to the attempt's log. */
  readonly onOutput?: (text: string, stream: 'stdout' | 'stderr') => void
}

export interface SpawnResult {
  /** Null when a signal ended it. */
  readonly exitCode: number | null
  readonly signal: string | null
  readonly stdout: string
  readonly stderr: string
}

/** What a handler gets with every attempt. */
export interface HandlerContext<Params = unknown, Unit = unknown, Checkpoint = Json> {
  /** Checked against the handler's schema, defaults filled in. */
  readonly params: Params
  /** The value of this unit; undefined for a plain job. */
  readonly unit: Unit
  /** Place of the unit in its job, from 0. */
  readonly position: number
  readonly jobId: string
  readonly unitId: string
  /** From 1. */
  readonly attempt: number
  /** A 32-bit number that is the same in every attempt of the unit. */
  readonly seed: number
  /** What to compute on: `gpu` only where a GPU is at hand, on a GPU worker. */
  readonly compute: 'cpu' | 'gpu'
  /**
   * Tells what computes, for people and for the mode that is shown: `gpu` only for hardware, `software` for an adapter that
   * imitates one.
   */
  reportDevice(name: string, kind: 'gpu' | 'software' | 'cpu'): void
  /** Aborted when the attempt is to end: a cancel, a timeout, a stop. */
  readonly signal: AbortSignal
  readonly cancellation: Cancellation
  /** The submitting client's environment; `process.env` is the host's own. */
  readonly environment: Readonly<Record<string, string>>
  /** Id, state and result of the jobs that this one waited for, by name. */
  readonly dependencies: Readonly<Record<string, Json>>
  /** For a final step: a file with the result of every unit, one JSON line each; else null. */
  readonly resultsFile: string | null
  /** For people: cheap, call it as often as you like. The last value is never lost. */
  progress(current: number, total?: number | null, message?: string | null, stage?: string | null): void
  /**
   * Saves where to go on from: durable when it returns, at the cost of about a millisecond, so call it about once a second.
   * @throws TypeError when the state is no JSON or larger than 16 MiB
   */
  checkpoint(state: Checkpoint): void
  /** What an earlier attempt saved last; null in the first one. */
  readonly lastCheckpoint: Checkpoint | null
  readonly log: HandlerLog
  /**
   * Keeps a file with the job: text, bytes, a stream, or `{ file }`, which is moved.
   * @throws TypeError for a name that is no plain file name or was used before, and for a media type that is no text of 1 to 200
   * characters
   */
  artifact(
    name: string,
    data: string | Uint8Array | AsyncIterable<string | Uint8Array> | { readonly file: string },
    mediaType?: string,
  ): Promise<Artifact>
  /** @returns the absolute path of a file of this attempt that is yours; it is kept as long as the job */
  temporaryFile(name: string): string
  /**
   * Runs a program, without a shell, that ends with the attempt. Use it instead of node:child_process, whose children a thread
   * cannot end.
   * @throws Error when it cannot be started; Cancelled when the attempt is to end
   */
  spawn(program: string, args?: readonly string[], options?: SpawnOptions): Promise<SpawnResult>
}
