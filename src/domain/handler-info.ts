import { z } from 'zod'
import { jsonObject } from './wire/json-value.ts'

/** Default limits of a job type; what a submit says wins. */
export const handlerDefaults = z.strictObject({
  max_attempts: z.int().min(1).max(100).optional(),
  backoff: z
    .strictObject({
      initial_s: z.number().positive().optional(),
      max_s: z.number().positive().optional(),
      factor: z.number().min(1).optional(),
    })
    .optional(),
  timeout_s: z.number().positive().optional(),
  idle_timeout_s: z.number().positive().optional(),
  total_timeout_s: z.number().positive().optional(),
  per_key: z
    .strictObject({
      key: z.string(),
      concurrency: z.int().min(1).optional(),
      rate_limit: z.strictObject({ count: z.int().min(1), interval_s: z.number().positive() }).optional(),
    })
    .optional(),
})
export type HandlerDefaults = z.infer<typeof handlerDefaults>

/** Job types that are no handlers. */
export const ownTypeNames = ['command', 'noop'] as const

/** Built-in handlers that act on the files or the network of the machine they run on: no GPU worker serves them. */
export const localTypeNames: readonly string[] = ['http', 'checksum_tree']

/** What a handler says of itself; read in a process of its own, since its module is foreign code. */
export const handlerInfo = z.strictObject({
  type: z.string().regex(/^[a-z][a-z0-9_-]{0,63}$/, 'must be a name such as "resize_images"'),
  title: z.string().min(1).max(200),
  description: z.string().min(1).max(4000),
  /** JSON Schemas (draft 2020-12); of what is given, before defaults. */
  params_schema: jsonObject,
  /** Null: it takes any unit, or none. */
  unit_schema: jsonObject.nullable(),
  /** True: a job without units cannot succeed. */
  unit_required: z.boolean(),
  result_schema: jsonObject,
  /** As submit_job takes it, without type. */
  example: jsonObject,
  /** Attempts of this type at once, over all jobs; null: as many as there are threads. */
  concurrency: z.int().min(1).nullable(),
  gpu: z.enum(['never', 'prefer', 'require']),
  /** Of what params, unit and result mean: a GPU worker with another one does not serve it. */
  version: z.string().min(1).max(64),
  /** Name and version of what its checkpoints hold, common to all its implementations. */
  checkpoint_format: z.string().min(1).max(100),
  /** What a GPU worker does when nobody renews the lease of a run. */
  on_lease_end: z.enum(['finish', 'cancel']),
  /** False: it needs a GPU, so that it cannot fall back. */
  runs_on_cpu: z.boolean(),
  /** MB of memory that a GPU must have; null: any. */
  gpu_memory_megabytes: z.int().min(1).nullable(),
  reusable: z.boolean(),
  pure: z.boolean(),
  heap_megabytes: z.int().min(16).nullable(),
  defaults: handlerDefaults,
})
export type HandlerInfo = z.infer<typeof handlerInfo>

/** A handler that can be submitted. */
export interface AvailableHandler {
  readonly info: HandlerInfo
  readonly file: string
  readonly revision: string
  readonly isBuiltIn: boolean
}

/** A file of the handler directory that cannot be used, and why. */
export interface BrokenHandler {
  readonly file: string
  /** As far as it is known: the type it had before, else its file name. */
  readonly type: string
  readonly problem: string
}
