import type { z } from 'zod'
import type { Artifact, Json } from '../context.ts'
import type { ReportedDevice } from '../device.ts'

type Input<Schema> = Schema extends z.ZodType ? z.input<Schema> : unknown
export type CheckpointOf<Schema> = Schema extends z.ZodType ? z.output<Schema> : Json

export interface RecordedProgress {
  readonly current: number
  readonly total: number | null
  readonly message: string | null
  readonly stage: string | null
}

export interface RecordedLog {
  readonly level: 'info' | 'warn' | 'error'
  readonly message: string
  readonly details: Readonly<Record<string, unknown>> | null
}

/** What a test gives its handler; everything but params has a default. */
export interface RunOptions<Params extends z.ZodType, Unit, Checkpoint> {
  readonly params: z.input<Params>
  readonly unit?: Input<Unit>
  /** What an earlier attempt saved last. */
  readonly lastCheckpoint?: Input<Checkpoint> | null
  /** Abort it to cancel the attempt. */
  readonly signal?: AbortSignal
  /** Default 1. */
  readonly attempt?: number
  /** Default 0. */
  readonly position?: number
  /** Default 1. */
  readonly seed?: number
  /** What the handler is told to compute on; the machine is not asked whether it has a GPU. Default `cpu`. */
  readonly compute?: 'cpu' | 'gpu'
  /** Default: that of this process. */
  readonly environment?: Readonly<Record<string, string>>
  readonly dependencies?: Readonly<Record<string, Json>>
  readonly resultsFile?: string | null
  /** Where its files go. Default: a temporary directory that is removed when this process ends. */
  readonly directory?: string
  /** Called within the handler's call, so that a test can cancel at a known place. */
  readonly onProgress?: (progress: RecordedProgress) => void
  readonly onCheckpoint?: (state: CheckpointOf<Checkpoint>) => void
}

/** How the attempt ended. */
export type RunOutcome =
  | { readonly kind: 'completed' }
  | { readonly kind: 'failed'; readonly message: string; readonly error: unknown }
  /** What was returned does not fit the handler's own schema, or is no JSON. */
  | { readonly kind: 'result_invalid'; readonly message: string }
  | { readonly kind: 'rejected'; readonly message: string }
  | { readonly kind: 'retry'; readonly message: string; readonly afterMs: number }
  | { readonly kind: 'rate_limited'; readonly message: string; readonly waitMs: number }
  | { readonly kind: 'cancelled' }

export interface HandlerRun<Result extends z.ZodType, Checkpoint> {
  readonly outcome: RunOutcome
  /** Undefined unless it completed. */
  readonly result: z.output<Result> | undefined
  readonly progress: readonly RecordedProgress[]
  readonly checkpoints: readonly CheckpointOf<Checkpoint>[]
  readonly logs: readonly RecordedLog[]
  readonly artifacts: readonly Artifact[]
  /** What it said it computes on, in this order. */
  readonly devices: readonly ReportedDevice[]
  /** With all files of the attempt; not there when it made none. */
  readonly directory: string
}
