import type { Statement } from 'better-sqlite3'
import type { ErrorRecord } from '../domain/errors.ts'
import type { Fence } from '../domain/job.ts'
import type { GpuHistory, GpuWaiter, ModeCount } from '../domain/ports/gpu-store.ts'
import type { RemoteIdentity } from '../domain/ports/remote-executor.ts'
import type { GpuPreference } from '../domain/wire/gpu.ts'
import type { ChangeNotes } from './change-notes.ts'
import { fenceBinds } from './claims.ts'
import type { EventStore } from './event-store.ts'
import type { JobReader } from './job-reader.ts'
import type { Binds, Prepare } from './statement-loader.ts'

interface WaiterRow {
  id: string
  seq: number
  type: string
  gpu: GpuPreference
  gpu_waits_since: number | null
  is_served: 0 | 1
}

interface ModeRow {
  mode: string
  device: string | null
  units: number
  fallback_reason: string | null
  remote_worker: string | null
  running: number
}

/** Which units wait for GPU workers, and what attempts there tell. */
export class GpuPlacements {
  readonly #events: EventStore
  readonly #jobs: JobReader
  readonly #notes: ChangeNotes
  readonly #recordRemote: Statement<[Binds]>
  readonly #recordDevice: Statement<[Binds]>
  readonly #readHistory: Statement<[Binds], { id: string; restarts: number; fallback_reason: string | null }>
  readonly #readWaiters: Statement<[Binds], WaiterRow>
  readonly #readWaiter: Statement<[Binds], WaiterRow>
  readonly #setWait: Statement<[Binds]>
  readonly #placeHere: Statement<[Binds], { seq: number }>
  readonly #noteFallbacks: Statement<[Binds]>
  readonly #countModes: Statement<[Binds], ModeRow>

  constructor(prepare: Prepare, parts: { events: EventStore; jobs: JobReader; notes: ChangeNotes }) {
    this.#events = parts.events
    this.#jobs = parts.jobs
    this.#notes = parts.notes
    this.#recordRemote = prepare('record_remote')
    this.#recordDevice = prepare('record_device')
    this.#readHistory = prepare<{ id: string; restarts: number; fallback_reason: string | null }>('read_unit_gpu')
    this.#readWaiters = prepare<WaiterRow>('read_gpu_waiters')
    this.#readWaiter = prepare<WaiterRow>('read_gpu_waiter')
    this.#setWait = prepare('set_gpu_wait')
    this.#placeHere = prepare<{ seq: number }>('place_units_here')
    this.#noteFallbacks = prepare('note_fallbacks')
    this.#countModes = prepare<ModeRow>('count_modes')
  }

  recordRemote(fence: Fence, { worker, remoteId }: RemoteIdentity): boolean {
    const binds = { ...fenceBinds(fence), remote_worker: worker, remote_id: remoteId }
    return this.#recordRemote.run(binds).changes === 1
  }

  recordDevice(fence: Fence, device: string, mode: string | null): boolean {
    return this.#recordDevice.run({ ...fenceBinds(fence), device, mode }).changes === 1
  }

  readHistory(unitIds: readonly string[]): Map<string, GpuHistory> {
    const rows = this.#readHistory.all({ unit_ids: JSON.stringify(unitIds) })
    return new Map(
      rows.map(({ id, restarts, fallback_reason: reason }) => [id, { restarts, fallbackReason: toError(reason) }]),
    )
  }

  readWaiters(now: number, limit: number): GpuWaiter[] {
    return this.#readWaiters.all({ now, limit }).map(toWaiter)
  }

  readWaiter(jobSeq: number, now: number): GpuWaiter | null {
    const row = this.#readWaiter.get({ job_seq: jobSeq, now })
    return row === undefined ? null : toWaiter(row)
  }

  setWait(jobSeq: number, since: number | null): void {
    this.#setWait.run({ job_seq: jobSeq, since })
  }

  placeHere(
    { jobId, seq }: Pick<GpuWaiter, 'jobId' | 'seq'>,
    reason: ErrorRecord | null,
    limit: number,
    now: number,
  ): number {
    const units = this.#placeHere.all({ job_seq: seq, limit }).map((row) => row.seq)
    if (units.length === 0) return 0
    if (reason !== null) {
      this.#noteFallbacks.run({ unit_seqs: JSON.stringify(units), reason: JSON.stringify(reason) })
      const data = { count: units.length, error_code: reason.code, reason: reason.message }
      this.#events.append('units.fell_back', jobId, null, data, now)
    }
    this.#notes.add({ kind: 'job', seq })
    return units.length
  }

  readModes(jobId: string): ModeCount[] {
    const job = this.#jobs.read(jobId)
    if (job === null || job.gpu === 'never') return []
    return this.#countModes.all({ job_seq: job.seq }).map((mode) => ({
      mode: mode.mode,
      device: mode.device,
      worker: mode.remote_worker,
      fallbackReason: toError(mode.fallback_reason),
      units: mode.units,
      running: mode.running,
    }))
  }
}

function toWaiter(row: WaiterRow): GpuWaiter {
  return {
    jobId: row.id,
    seq: row.seq,
    type: row.type,
    preference: row.gpu,
    since: row.gpu_waits_since,
    isServed: row.is_served === 1,
  }
}

function toError(text: string | null): ErrorRecord | null {
  return text === null ? null : (JSON.parse(text) as ErrorRecord)
}
