import type { Job } from '../domain/job.ts'
import type { Consequences, HeldUnit, RunnableJob } from '../domain/ports/job-store.ts'
import type { ChangeNotes } from './change-notes.ts'
import type { RunnableJobs } from './runnable-jobs.ts'
import type { Workers } from './workers.ts'

/** Reads what the noted changes mean: only rows that changed are looked at. */
export class ConsequenceReader {
  readonly #notes: ChangeNotes
  readonly #runnable: RunnableJobs
  readonly #workers: Workers

  constructor(notes: ChangeNotes, runnable: RunnableJobs, workers: Workers) {
    this.#notes = notes
    this.#runnable = runnable
    this.#workers = workers
  }

  take(): Consequences {
    const jobs = new Set<number>()
    const lanes = new Map<number, Set<string | null>>()
    const queues = new Set<string>()
    const stopped = new Set<number>()
    const settled: Job[] = []
    const sweeps = new Set<string>()
    let feed = false
    for (const note of this.#notes.take()) {
      if (note.kind === 'job') jobs.add(note.seq)
      else if (note.kind === 'lane') lanes.set(note.seq, (lanes.get(note.seq) ?? new Set()).add(note.limitKey))
      else if (note.kind === 'queue') queues.add(note.name)
      else if (note.kind === 'stop') stopped.add(note.seq)
      else if (note.kind === 'settled') settled.push(note.job)
      else if (note.kind === 'sweep') sweeps.add(note.jobId)
      else feed = true
    }
    const rest = this.#runnable.readRest()
    const runnable: RunnableJob[] = [...queues].flatMap((name) => this.#runnable.readQueue(name))
    for (const seq of jobs) runnable.push(...this.#runnable.readJob(seq))
    for (const [seq, keys] of lanes) {
      if (jobs.has(seq)) continue
      for (const key of keys) runnable.push(...this.#runnable.readLane(seq, key))
    }
    const stops: HeldUnit[] = [...stopped].flatMap((seq) => this.#workers.findHeldOfJob(seq))
    return { runnable: [...rest, ...runnable], stops, settled, feed, sweeps: [...sweeps] }
  }
}
