import { z } from 'zod'
import { jsonObject } from './json-value.ts'

/**
 * What manager and GPU worker say to each other: the prediction API of Cog and Replicate (client-chosen id, PUT, GET, cancel,
 * health check) with a lease, retention and content-addressed files on top; docs/gpu-worker.md describes it. Both sides are
 * checked with these schemas: neither trusts the other.
 */
export const predictionProtocol = 1

/** Whole seconds. A GET or PUT with it renews the lease; one without it only looks. */
export const leaseHeader = 'worker-lease'
/** Bodies and results up to this size travel inline, larger ones as files. */
export const inlineBytes = 256 * 1024
/** Largest answer of a worker, bytes; files have their own limit. */
export const largestAnswerBytes = 4 * 1024 * 1024
export const largestFileBytes = 1024 * 1024 * 1024
/** Of the log in one answer. */
export const logPieceBytes = 64 * 1024

export const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in hex')
/** Chosen by the client; also a file name. */
export const predictionId = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, 'must be an id of letters, digits, - and _')

/** Where to go on from. `format`: name and version that a handler declares for all its implementations. */
export const wireCheckpoint = z
  .strictObject({
    format: z.string().min(1).max(100),
    /** Grows with every checkpoint of a unit, over all its attempts; the limit leaves room to count on. */
    seq: z
      .int()
      .min(0)
      .max(2 ** 52),
    inline: z.json().optional(),
    /** Of its JSON, kept under /files. */
    sha256: sha256.optional(),
  })
  .refine(
    ({ inline, sha256: hash }) => (inline === undefined) !== (hash === undefined),
    'needs either inline or sha256',
  )
export type WireCheckpoint = z.infer<typeof wireCheckpoint>

export const predictionInput = z.strictObject({
  /** Job type. */
  type: z.string().min(1).max(64),
  version: z.string().min(1).max(64),
  params: jsonObject,
  /** Left out: the job has no units. */
  unit: z.json().optional(),
  job_id: z.string().min(1).max(64),
  unit_id: z.string().min(1).max(64),
  position: z.int().min(0),
  attempt: z.int().min(1),
  /** Echoed in every answer: an answer for another attempt is refused by the client. */
  attempt_token: z.string().min(1).max(100),
  /** A 32-bit number that is the same in every attempt of the unit. */
  seed: z.int().min(0).max(0xffff_ffff),
  dependencies: jsonObject.default({}),
  resume: wireCheckpoint.nullable().default(null),
  /** What happens to the run when nobody renews its lease; after a cancel request it is always `cancel`. */
  on_lease_end: z.enum(['finish', 'cancel']).default('cancel'),
  timeout_ms: z.number().positive().nullable().default(null),
  idle_timeout_ms: z.number().positive().nullable().default(null),
  cancel_grace_ms: z.number().min(0).default(3_000),
  max_output_bytes: z
    .int()
    .min(1)
    .default(10 * 1024 * 1024),
})
export type PredictionInput = z.infer<typeof predictionInput>

/** Body of PUT /predictions/{id}: the input, or where it lies. A repeated PUT sends the same bytes. */
export const predictionRequest = z.union([
  z.looseObject({ id: predictionId.optional(), input: predictionInput }),
  z.looseObject({ id: predictionId.optional(), input_sha256: sha256 }),
])

export const predictionStatuses = ['starting', 'processing', 'succeeded', 'failed', 'canceled'] as const
export type PredictionStatus = (typeof predictionStatuses)[number]

/** Why a prediction failed. */
export const predictionErrorCodes = [
  'HANDLER_ERROR',
  'BAD_INPUT',
  'RATE_LIMITED',
  'TIMEOUT',
  'OUT_OF_MEMORY',
  'LEASE_EXPIRED',
  'WORKER_RESTARTED',
  /** The worker could not run it, through no fault of the job. */
  'WORKER_ERROR',
] as const
export type PredictionErrorCode = (typeof predictionErrorCodes)[number]

/** What computed. `software`: a software adapter that imitates a GPU. */
export const device = z.object({
  name: z.string().min(1).max(200),
  kind: z.enum(['gpu', 'software', 'cpu']),
})
export type Device = z.infer<typeof device>

export const wireArtifact = z.object({
  name: z.string().min(1).max(255),
  media_type: z.string().min(1).max(200),
  bytes: z.int().min(0),
  sha256,
})

/** One prediction, as every route that names it answers. Terminal ones are kept at least 24 h. */
export const prediction = z.object({
  id: predictionId,
  status: z.enum(predictionStatuses),
  attempt_token: z.string().max(100).nullable(),
  boot_id: z.string().min(1).max(100),
  created_at: z.string().max(40),
  started_at: z.string().max(40).nullable(),
  completed_at: z.string().max(40).nullable(),
  output: z.json().optional(),
  /** Of the output's JSON, when that is too large to be inline. */
  output_sha256: sha256.optional(),
  artifacts: z.array(wireArtifact).max(1_000).default([]),
  error: z.string().max(16_384).nullable(),
  error_code: z.enum(predictionErrorCodes).nullable(),
  /** With HANDLER_ERROR and RATE_LIMITED: whether and when another attempt may do better. */
  retry: z
    .union([z.enum(['policy', 'never']), z.object({ after_ms: z.number().min(0) })])
    .nullable()
    .default(null),
  /** From `logs_from` on, at most 64 KiB, invalid bytes replaced. Offsets are bytes; what was dropped is skipped. */
  logs: z.string(),
  logs_next: z.int().min(0),
  logs_total: z.int().min(0),
  logs_dropped: z.int().min(0),
  metrics: z.looseObject({
    progress: z
      .object({
        current: z.number(),
        total: z.number().nullable(),
        message: z.string().max(2_000).nullable(),
        stage: z.string().max(200).nullable(),
      })
      .nullable()
      .default(null),
    /** Seconds it has run, or ran. */
    predict_time: z.number().min(0).optional(),
  }),
  checkpoint: wireCheckpoint.nullable().default(null),
  device: device.nullable().default(null),
  /** Null: it has ended, or was made without a lease. */
  lease_expires_in_ms: z.number().nullable(),
})
export type Prediction = z.infer<typeof prediction>

/** Refusals are problem details; `code` says which, beside the HTTP status. */
export const refusalCodes = [
  'bad_request',
  'key_refused',
  'not_found',
  'busy',
  'input_differs',
  'unknown_type',
  'unknown_version',
  'file_missing',
  'hash_differs',
  'too_large',
  'not_ready',
] as const
export const refusal = z.looseObject({ code: z.enum(refusalCodes), detail: z.string().max(4_000) })

/** Of one GPU, by far: larger ones would be no numbers any more when they are told in bytes. */
const mostMegabytes = 2 ** 40

const gpu = z.object({
  index: z.int().min(0),
  name: z.string().max(200),
  uuid: z.string().max(100).nullable(),
  memory_total_mb: z.number().min(0).max(mostMegabytes).nullable(),
  memory_used_mb: z.number().min(0).max(mostMegabytes).nullable(),
  driver_version: z.string().max(100).nullable(),
  /** Percent. */
  utilization: z.number().min(0).max(100).nullable(),
  /** True: a software adapter, never shown as a GPU. */
  software: z.boolean(),
})
export type WireGpu = z.infer<typeof gpu>

/** GET /health-check. */
export const healthCheck = z.object({
  status: z.enum(['STARTING', 'READY', 'BUSY', 'SETUP_FAILED', 'DEFUNCT', 'UNHEALTHY']),
  protocol: z.int(),
  version: z.string().max(40),
  boot_id: z.string().min(1).max(100),
  slots: z.object({ total: z.int().min(1), free: z.int().min(0) }),
  gpus: z.array(gpu).max(64),
  job_types: z.record(
    z.string().max(64),
    z.object({
      version: z.string().max(64),
      checkpoint_format: z.string().max(100),
      /** True: it computes on this worker's GPU. False: on its processor. */
      gpu: z.boolean(),
    }),
  ),
})
export type HealthCheck = z.infer<typeof healthCheck>

/** GET /: `predictions_get_url` is what tells a full worker from a plain Cog server. */
export const discovery = z.looseObject({
  predictions_get_url: z.string().optional(),
  predictions_url: z.string().optional(),
  predictions_idempotent_url: z.string().optional(),
  predictions_cancel_url: z.string().optional(),
  health_check_url: z.string().optional(),
  cog_version: z.string().optional(),
  nightkiln_worker: z.string().optional(),
})
