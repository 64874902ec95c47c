import type { Statement } from 'better-sqlite3'
import type { RunnableJob } from '../domain/ports/job-store.ts'
import type { Priority } from '../domain/states.ts'
import type { GpuPreference } from '../domain/wire/gpu.ts'
import { toKeyLimits } from './job-row.ts'
import type { Binds, Prepare } from './statement-loader.ts'

/** Lanes of one job that are read at once; the rest of a job with more limit keys comes with later calls. */
const lanesAtOnce = 1_000
/** Jobs of one queue that are read at once when the queue changed; the rest comes with later calls. */
const jobsAtOnce = 1_000

interface RunnableRow {
  job_id: string
  seq: number
  queue: string
  type: string
  priority: Priority
  submitted_by: string
  key_limits: string | null
  run_at: number
  gpu: GpuPreference
  /** Of the first available unit without limit key that runs on this machine; null: there is none. */
  keyless_due: number | null
  has_keys: 0 | 1
}

/**
 * Lanes that only time keeps from being claimed. Two things may be without bound, the limit keys of a job and the jobs of a
 * queue: they are read in slices, and `readRest` goes on where the last slice ended.
 */
export class RunnableJobs {
  readonly #page: Statement<[Binds], RunnableRow>
  readonly #one: Statement<[Binds], RunnableRow>
  readonly #lanes: Statement<[Binds], { limit_key: string; due: number }>
  readonly #lane: Statement<[Binds], { due: number }>
  /** The last limit key that was read, of the units of a job in one place. */
  readonly #restOfJobs = new Map<
    string,
    { readonly seq: number; readonly forGpu: boolean; readonly afterKey: string }
  >()
  /** Queue to the last job row that was read. */
  readonly #restOfQueues = new Map<string, number>()

  constructor(prepare: Prepare) {
    this.#page = prepare<RunnableRow>('read_runnable_jobs')
    this.#one = prepare<RunnableRow>('read_runnable_job')
    this.#lanes = prepare<{ limit_key: string; due: number }>('read_lanes_of_job')
    this.#lane = prepare<{ due: number }>('read_lane_of_job')
  }

  readPage(afterSeq: number, limit: number): RunnableJob[] {
    return this.#rows(null, afterSeq, limit).flatMap((row) => this.#toLanes(row))
  }

  readJob(seq: number): RunnableJob[] {
    const row = this.#one.get({ job_seq: seq })
    return row === undefined ? [] : this.#toLanes(row)
  }

  /** The units with that limit key, here and for GPU workers. */
  readLane(seq: number, limitKey: string | null): RunnableJob[] {
    const row = this.#one.get({ job_seq: seq })
    if (row === undefined) return []
    const here = limitKey === null ? row.keyless_due : this.#readDue(seq, false, limitKey)
    const remote = row.gpu === 'never' ? null : this.#readDue(seq, true, limitKey)
    return [
      ...(here === null ? [] : [toLane(row, false, limitKey, here)]),
      ...(remote === null ? [] : [toLane(row, true, limitKey, remote)]),
    ]
  }

  /** Limit keys of the units that wait for a GPU worker and are due; leaves alone what `readRest` goes on with. */
  readGpuLanes(seq: number, now: number): (string | null)[] {
    const job = this.#one.get({ job_seq: seq })
    if (job === undefined || job.run_at > now) return []
    const keyless = this.#readDue(seq, true, null)
    const keyed = this.#lanes.all({ job_seq: seq, for_gpu: 1, after_key: null, limit: lanesAtOnce })
    const due = keyed.filter((lane) => lane.due <= now).map((lane) => lane.limit_key)
    return keyless === null || keyless > now ? due : [null, ...due]
  }

  /** The first jobs of a queue; `readRest` gives the others. */
  readQueue(queue: string): RunnableJob[] {
    this.#restOfQueues.delete(queue)
    return this.#sliceOfQueue(queue, 0)
  }

  /** @returns the next slice of everything that was too much for one call. */
  readRest(): RunnableJob[] {
    const queues = [...this.#restOfQueues].flatMap(([queue, afterSeq]) => this.#sliceOfQueue(queue, afterSeq))
    const jobs = [...this.#restOfJobs].flatMap(([name, { seq, forGpu, afterKey }]) => {
      const row = this.#one.get({ job_seq: seq })
      if (row !== undefined) return this.#sliceOfKeys(row, forGpu, afterKey)
      // It is paused, held or over: what makes it claimable again names all its lanes.
      this.#restOfJobs.delete(name)
      return []
    })
    return [...queues, ...jobs]
  }

  /** Each state has its own walk, in order and without passing any other job. */
  #rows(queue: string | null, afterSeq: number, limit: number): RunnableRow[] {
    return ['queued', 'running']
      .flatMap((state) => this.#page.all({ state, queue, after_seq: afterSeq, limit }))
      .sort((left, right) => left.seq - right.seq)
      .slice(0, limit)
  }

  #sliceOfQueue(queue: string, afterSeq: number): RunnableJob[] {
    const rows = this.#rows(queue, afterSeq, jobsAtOnce)
    const last = rows.at(-1)
    if (last === undefined || rows.length < jobsAtOnce) this.#restOfQueues.delete(queue)
    else this.#restOfQueues.set(queue, last.seq)
    return rows.flatMap((row) => this.#toLanes(row))
  }

  #toLanes(row: RunnableRow): RunnableJob[] {
    const keyless = row.keyless_due === null ? [] : [toLane(row, false, null, row.keyless_due)]
    const here = row.has_keys === 0 ? keyless : [...keyless, ...this.#sliceOfKeys(row, false, null)]
    return row.gpu === 'never' ? here : [...here, ...this.#lanesForGpu(row)]
  }

  #lanesForGpu(row: RunnableRow): RunnableJob[] {
    const due = this.#readDue(row.seq, true, null)
    const keyless = due === null ? [] : [toLane(row, true, null, due)]
    return [...keyless, ...this.#sliceOfKeys(row, true, null)]
  }

  #readDue(seq: number, forGpu: boolean, limitKey: string | null): number | null {
    return this.#lane.get({ job_seq: seq, for_gpu: forGpu ? 1 : 0, limit_key: limitKey })?.due ?? null
  }

  #sliceOfKeys(row: RunnableRow, forGpu: boolean, afterKey: string | null): RunnableJob[] {
    const { seq } = row
    const name = `${seq}/${forGpu}`
    const binds = { job_seq: seq, for_gpu: forGpu ? 1 : 0, after_key: afterKey, limit: lanesAtOnce }
    const lanes = this.#lanes.all(binds)
    const last = lanes.at(-1)
    if (last === undefined || lanes.length < lanesAtOnce) this.#restOfJobs.delete(name)
    else this.#restOfJobs.set(name, { seq, forGpu, afterKey: last.limit_key })
    return lanes.map((lane) => toLane(row, forGpu, lane.limit_key, lane.due))
  }
}

function toLane(row: RunnableRow, forGpu: boolean, limitKey: string | null, due: number): RunnableJob {
  return {
    jobId: row.job_id,
    seq: row.seq,
    queue: row.queue,
    type: row.type,
    priority: row.priority,
    submittedBy: row.submitted_by,
    forGpu,
    limitKey,
    keyLimits: toKeyLimits(row.key_limits),
    nextDueAt: Math.max(row.run_at, due),
  }
}
