import type { Job, JsonObject } from '../../../src/domain/job.ts'
import type {
  DeletedSlice,
  FinalJobRecord,
  HistoryStore,
  PruningRecord,
  Statistics,
} from '../../../src/domain/ports/history-store.ts'
import type { JobState } from '../../../src/domain/states.ts'
import type { ModelState, ModelUnit } from './model-state.ts'
import { viewJob } from './model-views.ts'

/** What the parts of the model share. */
export interface ModelAccess {
  state(): ModelState
  now(): number
  /** Runs a change as one transaction or as part of the open one. */
  change<T>(work: () => T): T
  /** @returns the id of the new event. */
  tell(type: string, jobId: string, unitId: string | null, data: JsonObject, createdAt: number): number
}

const dayMs = 24 * 3600 * 1000

/** Totals, estimates and deletion over plain lists. */
export class InMemoryHistory implements HistoryStore {
  readonly #model: ModelAccess

  constructor(model: ModelAccess) {
    this.#model = model
  }

  get #state(): ModelState {
    return this.#model.state()
  }

  readStatistics(now: number): Statistics {
    const since = now - dayMs
    const lately = (state: JobState) =>
      this.#state.jobs.filter((job) => job.state === state && (job.finishedAt ?? 0) > since).length
    return {
      jobs: this.readStateCounts(),
      last24Hours: {
        completed: lately('completed'),
        failed: lately('failed'),
        cancelled: lately('cancelled'),
        submitted: this.#state.jobs.filter((job) => job.createdAt > since).length,
      },
    }
  }

  readStateCounts(): Record<JobState, number> {
    const inState = (state: JobState) => this.#state.jobs.filter((job) => job.state === state).length
    return {
      queued: inState('queued'),
      running: inState('running'),
      completed: inState('completed'),
      failed: inState('failed'),
      cancelled: inState('cancelled'),
    }
  }

  readHeldJobs(limit: number): readonly Job[] {
    return this.#state.jobs
      .filter((job) => job.heldAt !== null && job.finishedAt === null)
      .slice(0, limit)
      .map((job) => viewJob(this.#state, job))
  }

  /** The job has just completed. */
  recordDuration(workHash: string | null, units: readonly ModelUnit[], now: number): void {
    const [unit] = units.filter((each) => !each.finalStep)
    if (workHash === null || unit === undefined || units.filter((each) => !each.finalStep).length !== 1) return
    const samples = [...this.readDurations(workHash), unit.attempts.at(-1)?.elapsedMs ?? 0].slice(-20)
    this.#state.durations.set(workHash, { samples, updatedAt: now })
  }

  readDurations(workHash: string): readonly number[] {
    return [...(this.#state.durations.get(workHash)?.samples ?? [])]
  }

  pruneDurations(before: number, afterHash: string, limit: number): string | null {
    return this.#model.change(() => {
      const { durations } = this.#state
      const next = [...durations.keys()].sort().filter((hash) => hash > afterHash)
      for (const hash of next.slice(0, limit)) {
        if ((durations.get(hash)?.updatedAt ?? before) < before) durations.delete(hash)
      }
      return next.slice(0, limit).at(-1) ?? null
    })
  }

  deleteJobSlice(jobId: string, limit: number): DeletedSlice | null {
    return this.#model.change(() => {
      const job = this.#state.jobs.find((each) => each.id === jobId)
      if (job === undefined || job.finishedAt === null) return null
      const units = this.#state.units.filter((unit) => unit.jobId === jobId)
      const gone = units.slice(0, limit)
      this.#state.units = this.#state.units.filter((unit) => !gone.includes(unit))
      const done = gone.length === units.length
      if (done) {
        this.#state.jobs = this.#state.jobs.filter((each) => each !== job)
        this.#state.leaving.delete(jobId)
        this.#model.tell('job.deleted', jobId, null, {}, this.#model.now())
      } else this.#state.leaving.add(jobId)
      const attempts = gone.flatMap((unit) =>
        unit.attempts.map(({ attempt, nonce }) => ({ unitId: unit.id, attempt, nonce })),
      )
      return { attempts, units: gone.length, bytes: gone.reduce((sum, unit) => sum + bytesOf(unit), 0), done }
    })
  }

  readLeavingJobs(limit: number): readonly string[] {
    return this.#state.jobs
      .map((job) => job.id)
      .filter((id) => this.#state.leaving.has(id))
      .slice(0, limit)
  }

  readOldestFinalJobs(limit: number): readonly FinalJobRecord[] {
    return this.#state.jobs
      .filter((job) => job.finishedAt !== null)
      .sort((left, right) => (left.finishedAt ?? 0) - (right.finishedAt ?? 0))
      .slice(0, limit)
      .map((job) => ({ job: viewJob(this.#state, job), settledEvent: job.settledEvent ?? 0 }))
  }

  oldestAcknowledged(): number | null {
    const marks = [...this.#state.watermarks.values()].map((mark) => mark.acknowledged)
    return marks.length === 0 ? null : Math.min(...marks)
  }

  recordPruning(record: PruningRecord): void {
    this.#model.change(() => {
      const { pruning } = this.#state
      const last = pruning.at(-1)
      if (last === undefined || last.rule !== record.rule || last.at <= record.at - 3_600_000)
        pruning.push({ ...record })
      else {
        const sums = { jobs: last.jobs + record.jobs, bytes: last.bytes + record.bytes }
        pruning.splice(-1, 1, { ...record, ...sums })
      }
    })
  }

  readPruning(limit: number): readonly PruningRecord[] {
    return this.#state.pruning.toReversed().slice(0, limit)
  }
}

function bytesOf(unit: ModelUnit): number {
  const output = unit.output === null ? 0 : Buffer.byteLength(JSON.stringify(unit.output))
  const payload = output + Buffer.byteLength(unit.checkpoint?.text ?? '')
  return unit.attempts.reduce((sum, { outputBytes, droppedBytes, artifacts }) => {
    const kept = Math.max(0, outputBytes - droppedBytes)
    return artifacts.reduce((all, artifact) => all + artifact.bytes, sum + kept)
  }, payload)
}
