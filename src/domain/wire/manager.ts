import { z } from 'zod'
import { jsonObject } from './json-value.ts'
import { timestamp } from './shared.ts'

export const handshakeRequest = z.strictObject({})
export const handshakeAnswer = z.looseObject({
  instance_id: z.string(),
  version: z.string(),
  api_version: z.int(),
  oldest_api_version: z.int(),
  pid: z.int(),
  epoch: z.int(),
  state: z.enum(['leading', 'draining']),
})
export type HandshakeAnswer = z.infer<typeof handshakeAnswer>

export const stopRequest = z.strictObject({
  /** Longest time to wait for running commands before leaving them to the next manager. */
  drain_ms: z.int().min(0).max(3_600_000).default(0),
  /** What happens to commands that still run then: left running and adopted by the next manager, or stopped and queued again. */
  running: z.enum(['leave', 'release']).default('leave'),
  /** `user`: nobody starts a manager again by itself. `handover`: a newer version takes over at once. */
  reason: z.enum(['user', 'handover']).default('user'),
})
export const stopAnswer = z.strictObject({ pid: z.int(), running: z.int(), drain_ms: z.int() })

/** One record of the event stream (server-sent events; `id` is the Last-Event-ID). */
export const eventMessage = z.strictObject({
  id: z.int(),
  type: z.string(),
  job_id: z.string(),
  unit_id: z.string().nullable(),
  data: jsonObject,
  at: timestamp,
})
export type EventMessage = z.infer<typeof eventMessage>

/** The event of a job that was not there before: it is told also to those who asked for other jobs. */
export const newJobEvent = 'job.submitted'

/** What came after the given id is not kept any more: the state must be read anew. */
export const resetMessage = z.strictObject({ newest: z.int() })

/** Errors of the API: RFC 9457 problem details. */
export const problem = z.looseObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.string(),
  remedy: z.string(),
  retry_after_ms: z.int().optional(),
  details: jsonObject.optional(),
})
export type Problem = z.infer<typeof problem>

/** `manager.json`: written atomically by the leading manager; read by clients, candidates and doctor. */
export const managerFile = z.looseObject({
  pid: z.int(),
  start_time: z.string(),
  boot_id: z.string(),
  instance_id: z.string(),
  /** Device and inode of the state directory: in a copy of it this file speaks of another one's manager. */
  home_identity: z.string().optional(),
  epoch: z.int(),
  version: z.string(),
  api_version: z.int(),
  node: z.string(),
  entry: z.string(),
  /** Absent while it starts. */
  socket: z.string().nullable(),
  state: z.enum(['starting', 'leading', 'stopped', 'handover', 'idle']),
  written_at: z.int(),
})
export type ManagerFile = z.infer<typeof managerFile>
