import type { Statement } from 'better-sqlite3'
import type { BatchEnd, HeldOutput } from '../domain/ports/job-store.ts'
import type { EndingParts } from './endings.ts'
import { toJob } from './job-row.ts'
import type { Binds, Prepare } from './statement-loader.ts'

interface HeldRow {
  seq: number
  id: string
  job_seq: number
  position: number
  attempt: number
  final_step: 0 | 1
  /** Index in what was given. */
  place: number
}

/**
 * Completes many units at once: four statements for all of them. A statement for each unit costs four times as much, and with
 * work that takes no time that is all there is to do.
 */
export class BatchEndings {
  readonly #parts: EndingParts
  readonly #findHeld: Statement<[Binds], HeldRow>
  readonly #storeOutputs: Statement<[Binds]>
  readonly #complete: Statement<[Binds]>
  readonly #closeAttempts: Statement<[Binds]>
  readonly #endFinalStep: Statement<[Binds]>

  constructor(prepare: Prepare, parts: EndingParts) {
    this.#parts = parts
    this.#findHeld = prepare<HeldRow>('find_held_ends')
    this.#storeOutputs = prepare('store_outputs')
    this.#complete = prepare('complete_units')
    this.#closeAttempts = prepare('close_attempts')
    this.#endFinalStep = prepare('end_final_step')
  }

  complete(ends: readonly HeldOutput[], now: number): BatchEnd[] {
    const fences = ends.map(({ fence }) => [fence.unitId, fence.attempt, fence.nonce, fence.workerId])
    const held = this.#findHeld.all({ ends: JSON.stringify(fences) })
    if (held.length === 0) return []
    this.#write(held, ends, now)
    const byJob = new Map<number, HeldRow[]>()
    for (const row of held) {
      const rows = byJob.get(row.job_seq)
      if (rows === undefined) byJob.set(row.job_seq, [row])
      else rows.push(row)
    }
    return [...byJob].map(([jobSeq, rows]) => this.#finish(jobSeq, rows, now))
  }

  #write(held: readonly HeldRow[], ends: readonly HeldOutput[], now: number): void {
    const outputs: [number, string][] = []
    const attempts: number[][] = []
    let isMeasured = false
    for (const { seq, place } of held) {
      const end = ends[place]
      if (end === undefined) continue
      const measured = [Math.round(end.elapsedMs), end.outputBytes, end.droppedBytes]
      isMeasured ||= measured.some((figure) => figure !== 0)
      outputs.push([seq, JSON.stringify(end.output)])
      attempts.push([seq, ...measured])
    }
    this.#storeOutputs.run({ outputs: JSON.stringify(outputs) })
    this.#complete.run({ unit_seqs: JSON.stringify(held.map(({ seq }) => seq)), now })
    this.#closeAttempts.run({ attempts: JSON.stringify(attempts), measured: isMeasured ? 1 : 0, now })
  }

  #finish(jobSeq: number, rows: readonly HeldRow[], now: number): BatchEnd {
    const { earlyStop, events, jobs, notes, settlement } = this.#parts
    if (rows.some((row) => row.final_step === 1)) this.#endFinalStep.run({ job_seq: jobSeq })
    const row = jobs.readRow(jobSeq)
    const [first] = rows
    if (rows.length === 1 && first !== undefined) {
      const data = { position: first.position, attempt: first.attempt, outcome: 'completed' }
      events.append('unit.completed', row.id, first.id, data, now)
    } else {
      const positions = [Math.min(...rows.map((each) => each.position)), Math.max(...rows.map((each) => each.position))]
      events.append('units.completed', row.id, null, { count: rows.length, positions }, now)
    }
    const job = settlement.advance(earlyStop.judge(row, now), now)
    if (job.finished_at === null && job.concurrency !== null && job.count_available > 0) {
      notes.add({ kind: 'job', seq: jobSeq })
    }
    return { job: toJob(job), unitIds: rows.map(({ id }) => id), settled: job.finished_at !== null }
  }
}
