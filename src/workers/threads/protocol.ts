import { z } from 'zod'
import { type ErrorCode, errorCodes } from '../../domain/errors.ts'
import type { AttemptEnd } from '../../domain/ports/attempt.ts'
import { device } from '../../domain/wire/prediction.ts'

/**
 * What manager and thread host say to each other over the host's socket: frames of 4 bytes length (big-endian) and that many
 * bytes of UTF-8 JSON, an array of messages. The manager connects; the newest connection with the highest epoch counts.
 */
export const protocolVersion = 1

/** Names one attempt: unit id, attempt number and nonce, as in the name of its directory. */
const key = z.string().min(1).max(200)

const handlerJob = z.strictObject({
  /** Names job and revision of the code: a change of the code declares the job anew. */
  job_key: z.string(),
  job_id: z.string(),
  handler: z.strictObject({
    type: z.string(),
    file: z.string(),
    revision: z.string(),
    reusable: z.boolean(),
    heap_megabytes: z.number(),
  }),
  params: z.json(),
  dependencies: z.json(),
  environment: z.record(z.string(), z.string()),
  cwd: z.string().nullable(),
  unit_timeout_ms: z.number().nullable(),
  idle_timeout_ms: z.number().nullable(),
  cancel_grace_ms: z.number(),
  max_output_bytes: z.number(),
})
export type WireJob = z.infer<typeof handlerJob>

const runItem = z.strictObject({
  key,
  unit_id: z.string(),
  attempt: z.int(),
  nonce: z.string(),
  /** Left out: the job has no units. */
  unit: z.json().optional(),
  position: z.int(),
  checkpoint: z.json().optional(),
  results_file: z.string().optional(),
  /** Left out: it computes on the processor. */
  compute: z.literal('gpu').optional(),
  /** Left out: that of the unit. */
  seed: z.int().optional(),
})
export type WireRun = z.infer<typeof runItem>

/** Manager to host. The host trusts the manager: it is checked only for its version. */
export type ToHost =
  | { readonly kind: 'hello'; readonly protocol: number; readonly epoch: number; readonly version: string }
  | { readonly kind: 'job'; readonly job: WireJob }
  /** No attempt of these jobs is in the host any more; should another come, the job is declared anew. */
  | { readonly kind: 'forget'; readonly job_keys: readonly string[] }
  | { readonly kind: 'run'; readonly job_key: string; readonly items: readonly WireRun[] }
  | { readonly kind: 'stop'; readonly key: string; readonly reason: 'cancel' | 'release' }
  /** The ends of these attempts are committed: the host forgets them. */
  | { readonly kind: 'acknowledge'; readonly keys: readonly string[] }
  | { readonly kind: 'ping'; readonly id: number }
  /** Ends the host once nothing is left in it. */
  | { readonly kind: 'end' }

const artifact = z.strictObject({
  name: z.string().min(1),
  mediaType: z.string(),
  bytes: z.int().min(0),
  sha256: z.string(),
})
const count = z.int().min(0)
const output = z.strictObject({ bytes: count, droppedBytes: count, tail: z.string() })
const errorRecord = z.strictObject({
  code: z.enum(errorCodes as [ErrorCode, ...ErrorCode[]]),
  message: z.string(),
  remedy: z.string(),
  details: z.record(z.string(), z.unknown()).optional(),
})
const elapsedMs = z.number().min(0)

/** How an attempt in a host ended; checkpoints lie in the attempt directory and are added by the manager. */
const handlerEnd = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('completed'), result: z.json(), artifacts: z.array(artifact), elapsedMs, output }),
  z.strictObject({
    kind: z.literal('failed'),
    error: errorRecord,
    retry: z.union([z.enum(['policy', 'never']), z.strictObject({ afterMs: z.number().min(0) })]),
    elapsedMs,
    output,
  }),
  z.strictObject({
    kind: z.literal('rate_limited'),
    waitMs: z.number().min(0),
    message: z.string(),
    elapsedMs,
    output,
  }),
  z.strictObject({
    kind: z.literal('timed_out'),
    which: z.enum(['unit', 'idle']),
    limitMs: z.number(),
    elapsedMs,
    output,
  }),
  z.strictObject({
    kind: z.literal('stopped'),
    reason: z.enum(['cancel', 'release']),
    survivors: z.array(z.int()),
    elapsedMs,
    output,
  }),
  z.strictObject({
    kind: z.literal('released'),
    message: z.string(),
    backOff: z.boolean(),
    unavailable: z.literal(true).optional(),
    elapsedMs,
  }),
])
export type HandlerEnd = z.infer<typeof handlerEnd> & AttemptEnd

/** One end; also a line of `ends.jsonl`. `device`: what it computed on, when its handler said so. */
export const endedAttempt = z.strictObject({ key, end: handlerEnd, device: device.optional() })
export type EndedAttempt = z.infer<typeof endedAttempt>

const progress = z.strictObject({
  current: z.number(),
  total: z.number().nullable(),
  message: z.string().nullable(),
  stage: z.string().nullable(),
})

/** Host to manager; checked, since foreign code runs in the host. */
export const toManager = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('welcome'),
    protocol: z.int(),
    host_id: z.string(),
    version: z.string(),
    threads: z.int(),
    /** Everything it has, ended or not: ends follow until they are acknowledged. */
    attempts: z.array(z.strictObject({ key, phase: z.enum(['waiting', 'running', 'ended']) })),
    /** It was giving back what it has before this manager came. */
    leaving: z.boolean().optional(),
  }),
  z.strictObject({
    kind: z.literal('progress'),
    items: z.array(z.strictObject({ key, progress, elapsed_ms: z.number() })),
  }),
  z.strictObject({ kind: z.literal('device'), items: z.array(z.strictObject({ key, device })) }),
  z.strictObject({ kind: z.literal('ended'), items: z.array(endedAttempt) }),
  z.strictObject({
    kind: z.literal('pong'),
    id: z.int(),
    rss_bytes: z.number(),
    attempts: z.array(z.strictObject({ key, elapsed_ms: z.number(), silent_ms: z.number() })),
    /** All others that it has: those that wait, and those that have ended and are not acknowledged. */
    others: z.array(key).optional(),
  }),
])
export type ToManager = z.infer<typeof toManager>

/** What a host writes beside its socket before it ends itself: `last-words.json`. */
export const lastWords = z.strictObject({
  reason: z.enum(['memory', 'stuck', 'unclaimed', 'told']),
  /** For `stuck`: the attempt that could not be stopped, and how it ends. The others are innocent. */
  culprit: endedAttempt.nullable(),
  message: z.string(),
})
export type LastWords = z.infer<typeof lastWords>

/** What a living host writes of itself: `host.json`. */
export const hostRecord = z.strictObject({
  host_id: z.string(),
  pid: z.int(),
  start_time: z.string(),
  boot_id: z.string(),
  socket: z.string(),
  protocol: z.int(),
  version: z.string(),
  /** True: it runs one attempt at a time, those that were lost together with others. */
  alone: z.boolean(),
})
export type HostRecord = z.infer<typeof hostRecord>

/** What the manager gives a host on its command line, as JSON. */
export const hostOrder = z.strictObject({
  host_id: z.string(),
  /** Its own directory, `<home>/hosts/<host id>`: host.json, last-words.json, ends.jsonl, host.log. */
  directory: z.string(),
  socket: z.string(),
  home: z.string(),
  attempts: z.string(),
  instance_id: z.string(),
  boot_id: z.string(),
  version: z.string(),
  threads: z.int().min(1),
  alone: z.boolean(),
  /** Of the whole process. */
  memory_bytes: z.number(),
  /** A thread that has not ended so long after terminate() cannot be ended: then the host ends itself. */
  terminate_ms: z.number(),
  /** It ends itself when no manager came for so long. */
  unclaimed_ms: z.number(),
})
export type HostOrder = z.infer<typeof hostOrder>
