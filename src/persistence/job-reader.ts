import type { Statement } from 'better-sqlite3'
import { QueueError } from '../domain/errors.ts'
import type { Attempt, Job, JobOptions, Json, JsonObject, Unit } from '../domain/job.ts'
import type { JobPayload, UnitFilter } from '../domain/ports/job-store.ts'
import { type AttemptRow, toAttempt } from './attempt-row.ts'
import { type JobRow, toJob } from './job-row.ts'
import type { Binds, Prepare } from './statement-loader.ts'
import { UnitReader } from './unit-reader.ts'

interface PayloadRow {
  params: string
  options: string
  context: string
  final_step: string | null
  work_hash: string | null
}

/** Reads of single jobs, payloads and attempts. */
export class JobReader {
  readonly #job: Statement<[Binds], JobRow>
  readonly #jobBySeq: Statement<[Binds], JobRow>
  readonly #jobPayload: Statement<[Binds], PayloadRow>
  readonly #units: UnitReader
  readonly #reruns: Statement<[Binds], JobRow>
  readonly #unitPayload: Statement<[Binds], { input: string; output: string | null }>
  readonly #unitInputs: Statement<[Binds], { id: string; input: string }>
  readonly #attempts: Statement<[Binds], AttemptRow>

  constructor(prepare: Prepare) {
    this.#job = prepare<JobRow>('read_job')
    this.#jobBySeq = prepare<JobRow>('read_job_by_seq')
    this.#jobPayload = prepare<PayloadRow>('read_job_payload')
    this.#units = new UnitReader(prepare)
    this.#reruns = prepare<JobRow>('read_reruns')
    this.#unitPayload = prepare<{ input: string; output: string | null }>('read_unit_payload')
    this.#unitInputs = prepare<{ id: string; input: string }>('read_unit_inputs')
    this.#attempts = prepare<AttemptRow>('read_attempts')
  }

  findRow(jobId: string): JobRow | null {
    return this.#job.get({ job_id: jobId }) ?? null
  }

  /** @throws QueueError internal when there is no such row: the caller has just changed a row that refers to it */
  readRow(seq: number): JobRow {
    const row = this.#jobBySeq.get({ job_seq: seq })
    if (row === undefined) throw new QueueError('internal', `no job has the row ${seq}`)
    return row
  }

  read(jobId: string): Job | null {
    const row = this.findRow(jobId)
    return row === null ? null : toJob(row)
  }

  /** @returns the jobs that exist, in the order asked for. */
  readMany(jobIds: readonly string[]): Job[] {
    return jobIds.map((id) => this.read(id)).filter((job) => job !== null)
  }

  readPayload(jobId: string): JobPayload | null {
    const row = this.#jobPayload.get({ job_id: jobId })
    if (row === undefined) return null
    return {
      params: JSON.parse(row.params) as JsonObject,
      options: JSON.parse(row.options) as JobOptions,
      context: JSON.parse(row.context) as Json,
      finalStep: toFinalStep(row.final_step),
      workHash: row.work_hash,
    }
  }

  readUnit(unitId: string): Unit | null {
    return this.#units.readOne(unitId)
  }

  readUnits(jobId: string, page: { afterPosition?: number; limit: number }, filter: UnitFilter = {}): Unit[] {
    return this.#units.read(jobId, page, filter)
  }

  readReruns(jobId: string, limit: number): Job[] {
    return this.#reruns.all({ job_id: jobId, limit }).map((row) => toJob(row))
  }

  readUnitInputs(unitIds: readonly string[]): Map<string, Json> {
    const rows = this.#unitInputs.all({ unit_ids: JSON.stringify(unitIds) })
    return new Map(rows.map(({ id, input }) => [id, JSON.parse(input) as Json]))
  }

  readUnitPayload(unitId: string): { input: Json; output: Json | null } | null {
    const row = this.#unitPayload.get({ unit_id: unitId })
    if (row === undefined) return null
    return {
      input: JSON.parse(row.input) as Json,
      output: row.output === null ? null : (JSON.parse(row.output) as Json),
    }
  }

  readAttempts(unitId: string): Attempt[] {
    return this.#attempts.all({ unit_id: unitId }).map((row) => toAttempt(unitId, row))
  }
}

/** @returns what a job runs when all its units have ended. */
export function toFinalStep(text: string | null): JobPayload['finalStep'] {
  return text === null ? null : (JSON.parse(text) as JobPayload['finalStep'])
}
