import type { z } from 'zod'
import type { HandlerContext, Json } from './context.ts'

export const handlerMark = Symbol.for('nightkiln.handler.definition')

/** How a failed attempt is tried again, unless the submit says otherwise. */
export interface HandlerRetry {
  /** Attempts in all; default 1. */
  readonly maxAttempts?: number
  readonly initialMs?: number
  readonly maxMs?: number
  readonly factor?: number
}

export interface HandlerTimeouts {
  /** Of one attempt. */
  readonly unitMs?: number
  /** Longest time without progress, checkpoint or output. */
  readonly idleMs?: number
  /** Of the whole job. */
  readonly totalMs?: number
}

/** Limits that units with the same key share, over all jobs of a queue. */
export interface HandlerKeyLimits {
  /** A template such as `{{unit.host}}`. */
  readonly key: string
  readonly concurrency?: number
  readonly rateLimit?: { readonly count: number; readonly intervalMs: number }
}

type Output<Schema> = Schema extends z.ZodType ? z.output<Schema> : unknown

export interface HandlerDefinition<
  Params extends z.ZodType = z.ZodType,
  Unit extends z.ZodType | undefined = z.ZodType | undefined,
  Result extends z.ZodType = z.ZodType,
  Checkpoint extends z.ZodType | undefined = z.ZodType | undefined,
> {
  /** The name users submit: lower case letters, digits, `_` and `-`. */
  readonly type: string
  readonly title: string
  /** For people and models: what it does, what it needs, what it gives. */
  readonly description: string
  /** Of an object: a strict one (`z.strictObject`) refuses a misspelt parameter, `z.object` drops it silently. */
  readonly params: Params
  /** Left out: the job takes any unit, or none. */
  readonly unit?: Unit
  readonly result: Result
  /** Left out: a checkpoint may be any JSON. What does not fit it any more is not handed over. */
  readonly checkpoint?: Checkpoint
  /** What submit_job would be given, without `type`; shown by list_job_types. */
  readonly example?: Readonly<Record<string, unknown>>
  /** Attempts of this type at once, over all jobs. */
  readonly concurrency?: number
  /** Whether its attempts go to a GPU worker, unless the submit says otherwise. */
  readonly gpu?: 'never' | 'prefer' | 'require'
  /**
   * Of what params, unit and result mean; default "1". A GPU worker that has the handler in another version does not serve it.
   */
  readonly version?: string
  /** Name and version of what checkpoints hold, such as "sums/1"; what was saved in another format is not handed over. */
  readonly checkpointFormat?: string
  /** What a GPU worker does with a run whose manager is not heard of any more; default `finish` when pure, else `cancel`. */
  readonly onLeaseEnd?: 'finish' | 'cancel'
  /** False: it can compute on a GPU alone, so that nothing falls back to the processor. */
  readonly runsOnCpu?: boolean
  /** MB of memory that a GPU must have. */
  readonly gpuMemoryMegabytes?: number
  readonly retry?: HandlerRetry
  readonly timeouts?: HandlerTimeouts
  readonly perKey?: HandlerKeyLimits
  /**
   * True: it leaves nothing behind in its thread (globals, timers, listeners), so that a thread may run one attempt after the
   * other, thousands a second. Default false: every attempt has a fresh thread.
   */
  readonly reusable?: boolean
  /** True: it has no effect but its result, so that two attempts at a time would do no harm. */
  readonly pure?: boolean
  /** Largest heap of a thread, MB. */
  readonly memoryMegabytes?: number
  run(
    context: HandlerContext<z.output<Params>, Output<Unit>, Checkpoint extends z.ZodType ? z.output<Checkpoint> : Json>,
  ): Promise<z.input<Result>> | z.input<Result>
}

/**
 * Declares a job type; the default export of a file in the handler directory.
 * @example export default defineHandler({ type: 'greet', title: 'Greet', description: 'Says hello.',
 *   params: z.strictObject({ name: z.string() }), result: z.object({ text: z.string() }),
 *   run: ({ params }) => ({ text: `Hello ${params.name}` }) })
 */
export function defineHandler<
  Params extends z.ZodType,
  Result extends z.ZodType,
  Unit extends z.ZodType | undefined = undefined,
  Checkpoint extends z.ZodType | undefined = undefined,
>(
  definition: HandlerDefinition<Params, Unit, Result, Checkpoint>,
): HandlerDefinition<Params, Unit, Result, Checkpoint> {
  return Object.assign(Object.create({ [handlerMark]: true }), definition)
}
