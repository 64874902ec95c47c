import type { Statement } from 'better-sqlite3'
import type { JsonObject } from '../domain/job.ts'
import type { DecideOutcome, JobChanges, PauseOutcome, UpdateOutcome } from '../domain/ports/job-store.ts'
import type { ChangeNotes } from './change-notes.ts'
import type { Dependencies } from './dependencies.ts'
import type { EventStore } from './event-store.ts'
import type { JobReader } from './job-reader.ts'
import { type JobRow, toJob } from './job-row.ts'
import type { JobStops } from './job-stops.ts'
import type { SearchIndex } from './search-index.ts'
import type { Settlement } from './settlement.ts'
import type { Binds, Prepare } from './statement-loader.ts'
import type { Workers } from './workers.ts'

/** What controls work with. */
export interface ControlParts {
  readonly dependencies: Dependencies
  readonly events: EventStore
  readonly jobs: JobReader
  readonly notes: ChangeNotes
  readonly search: SearchIndex
  readonly settlement: Settlement
  readonly stops: JobStops
  readonly workers: Workers
}

/** What people change about an unfinished job: pause, decision, and its own properties. */
export class JobControls {
  readonly #parts: ControlParts
  readonly #pause: Statement<[Binds], { seq: number }>
  readonly #resume: Statement<[Binds], { seq: number }>
  readonly #decide: Statement<[Binds], { seq: number }>
  readonly #update: Statement<[Binds]>
  readonly #seal: Statement<[Binds]>
  readonly #setLabel: Statement<[Binds]>
  readonly #removeLabel: Statement<[Binds]>

  constructor(prepare: Prepare, parts: ControlParts) {
    this.#parts = parts
    this.#pause = prepare<{ seq: number }>('pause_job')
    this.#resume = prepare<{ seq: number }>('resume_job')
    this.#decide = prepare<{ seq: number }>('decide_job')
    this.#update = prepare('update_job')
    this.#seal = prepare('seal_job')
    this.#setLabel = prepare('set_label')
    this.#removeLabel = prepare('remove_label')
  }

  pause(jobId: string, freeze: boolean, now: number): PauseOutcome {
    const changed = this.#pause.get({ job_id: jobId, freeze: freeze ? 1 : 0, now })
    if (changed === undefined) return this.#whyNotChanged(jobId)
    this.#parts.events.append('job.paused', jobId, null, { freeze }, now)
    return this.#changed(changed.seq)
  }

  resume(jobId: string, now: number): PauseOutcome {
    const changed = this.#resume.get({ job_id: jobId })
    if (changed === undefined) return this.#whyNotChanged(jobId)
    this.#parts.events.append('job.resumed', jobId, null, {}, now)
    this.#parts.notes.add({ kind: 'job', seq: changed.seq })
    return this.#changed(changed.seq)
  }

  decide(jobId: string, decision: 'approved' | 'rejected', by: string, now: number): DecideOutcome {
    const { jobs, events, notes, stops, settlement } = this.#parts
    const decided = this.#decide.get({ job_id: jobId, decision, by, now })
    if (decided === undefined) {
      const job = jobs.read(jobId)
      return job === null ? { kind: 'not_found' } : { kind: 'not_held', job }
    }
    const { seq } = decided
    events.append(`job.${decision}`, jobId, null, { by }, now)
    if (decision === 'approved') {
      notes.add({ kind: 'job', seq })
      notes.add({ kind: 'feed' })
    } else {
      stops.stop(jobId, 'rejected', now)
      notes.add({ kind: 'stop', seq })
    }
    return { kind: 'decided', job: toJob(settlement.advance(jobs.readRow(seq), now)) }
  }

  update(jobId: string, changes: JobChanges, now: number): UpdateOutcome {
    const { jobs, events, notes, settlement } = this.#parts
    const before = jobs.findRow(jobId)
    if (before === null) return { kind: 'not_found' }
    if (before.finished_at !== null) return { kind: 'already_final' }
    const refused = this.#refuseDependencies(before, changes)
    if (refused !== null) return refused
    this.#write(before, changes, now)
    events.append('job.updated', jobId, null, { changed: namesOf(changes) }, now)
    notes.add({ kind: 'job', seq: before.seq })
    this.#addDependencies(before, changes, now)
    return { kind: 'updated', job: toJob(settlement.advance(jobs.readRow(before.seq), now)) }
  }

  #refuseDependencies(job: JobRow, { dependencies: wanted = [] }: JobChanges): UpdateOutcome | null {
    if (wanted.length === 0) return null
    if (job.state !== 'queued') return { kind: 'already_started' }
    const { dependencies } = this.#parts
    const missing = dependencies.findMissing(wanted)
    if (missing.length > 0) return { kind: 'dependency_not_found', jobIds: missing }
    const cycle = dependencies.findCycle(job.id, wanted)
    return cycle === null ? null : { kind: 'cycle', jobIds: cycle }
  }

  #write(before: JobRow, changes: JobChanges, now: number): void {
    const { name = before.name, priority = before.priority, runAt = before.run_at } = changes
    const concurrency = changes.concurrency === undefined ? before.concurrency : changes.concurrency
    const keepOpen = changes.close === true ? 0 : before.keep_open
    this.#update.run({ job_seq: before.seq, name, priority, run_at: runAt, concurrency, keep_open: keepOpen })
    if (changes.close === true) this.#seal.run({ job_seq: before.seq, now })
    for (const [key, value] of Object.entries(changes.labels ?? {})) {
      if (value === null) this.#removeLabel.run({ job_seq: before.seq, key })
      else this.#setLabel.run({ job_seq: before.seq, key, value })
    }
    if (changes.name !== undefined || changes.labels !== undefined) this.#parts.search.refresh(before.seq)
  }

  #addDependencies(job: JobRow, { dependencies: wanted = [] }: JobChanges, now: number): void {
    if (wanted.length === 0) return
    const isImpossible = this.#parts.dependencies.add(job.seq, wanted, now)
    if (isImpossible) this.#parts.stops.stop(job.id, 'dependency', now)
  }

  #changed(seq: number): PauseOutcome {
    const { jobs, workers } = this.#parts
    return { kind: 'changed', job: toJob(jobs.readRow(seq)), held: workers.findHeldOfJob(seq) }
  }

  #whyNotChanged(jobId: string): PauseOutcome {
    const row = this.#parts.jobs.findRow(jobId)
    if (row === null) return { kind: 'not_found' }
    if (row.finished_at !== null) return { kind: 'already_final' }
    return { kind: row.cancel_requested_at === null ? 'unchanged' : 'cancelling' }
  }
}

function namesOf(changes: JobChanges): JsonObject[string] {
  return Object.entries(changes)
    .filter(([, value]) => value !== undefined)
    .map(([name]) => name)
    .sort()
}
