import { createHash } from 'node:crypto'
import type { RemoteTask } from '../../domain/ports/remote-executor.ts'
import { inlineBytes, type PredictionInput, type WireCheckpoint } from '../../domain/wire/prediction.ts'
import { seedOfUnit } from '../../platform/unit-seed.ts'

/** Each attempt of a unit counts its checkpoints in a range of its own, so that they grow over all of them. */
const checkpointsOfAttempt = 2 ** 24

export interface RequestFile {
  readonly sha256: string
  readonly bytes: Uint8Array
}

/** The very bytes of an attempt's PUT, and the files that it names. */
export interface BuiltRequest {
  readonly body: string
  readonly files: readonly RequestFile[]
}

/** Echoed in every answer of a worker about the attempt. */
export function attemptToken(task: Pick<RemoteTask, 'fence'>): string {
  return `${task.fence.nonce}.${task.fence.attempt}`
}

/** @returns the number under which the checkpoint that an attempt begins with is handed over; its own have higher ones */
export function firstSeq(task: Pick<RemoteTask, 'fence'>): number {
  return task.fence.attempt * checkpointsOfAttempt
}

/** Same task, same bytes. */
export function buildRequest(task: RemoteTask, remoteId: string): BuiltRequest {
  const files: RequestFile[] = []
  const keep = (text: string): string => {
    const bytes = Buffer.from(text)
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    files.push({ sha256, bytes })
    return sha256
  }
  const input: PredictionInput = {
    type: task.type,
    version: task.version,
    params: task.params,
    ...(task.unit === undefined ? {} : { unit: task.unit }),
    job_id: task.jobId,
    unit_id: task.fence.unitId,
    position: task.position,
    attempt: task.fence.attempt,
    attempt_token: attemptToken(task),
    seed: seedOfUnit(task.fence.unitId),
    dependencies: task.dependencies,
    resume: resumeOf(task, keep),
    on_lease_end: task.onLeaseEnd,
    timeout_ms: left(task.unitTimeoutMs),
    idle_timeout_ms: left(task.idleTimeoutMs),
    cancel_grace_ms: task.cancelGraceMs,
    max_output_bytes: task.maxOutputBytes,
  }
  const text = JSON.stringify(input)
  const body =
    Buffer.byteLength(text) > inlineBytes
      ? JSON.stringify({ id: remoteId, input_sha256: keep(text) })
      : `{"id":${JSON.stringify(remoteId)},"input":${text}}`
  return { body, files }
}

/** A checkpoint in another format is not handed over: what cannot read it must not try. */
function resumeOf(
  { checkpoint, checkpointFormat, fence }: RemoteTask,
  keep: (text: string) => string,
): WireCheckpoint | null {
  if (checkpoint === null || checkpoint.format !== checkpointFormat) return null
  const place = { format: checkpointFormat, seq: firstSeq({ fence }) }
  const text = JSON.stringify(checkpoint.state)
  return Buffer.byteLength(text) > inlineBytes
    ? { ...place, sha256: keep(text) }
    : { ...place, inline: checkpoint.state }
}

/** The protocol knows no limit of 0. */
function left(limitMs: number | null): number | null {
  return limitMs === null ? null : Math.max(1, limitMs)
}
