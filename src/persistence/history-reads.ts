import Database, { type Statement } from 'better-sqlite3'
import { QueueError } from '../domain/errors.ts'
import type { Job, JsonObject } from '../domain/job.ts'
import type { UnitRecord } from '../domain/ports/history-reader.ts'
import type { Statistics } from '../domain/ports/history-store.ts'
import type { JobFilter } from '../domain/ports/job-store.ts'
import { Instance } from './instance.ts'
import { JobLists } from './job-lists.ts'
import { JobReader } from './job-reader.ts'
import { type Binds, statementsOf } from './statement-loader.ts'
import { StatisticsReader } from './statistics-reader.ts'

const busyTimeoutMs = 2_000

/** The HistoryReader port, synchronous, on a connection that cannot write. Every method ends its read transaction. */
export class HistoryReads {
  readonly #database: Database.Database
  readonly #jobs: JobReader
  readonly #lists: JobLists
  readonly #statistics: StatisticsReader
  readonly #storedBytes: Statement<[Binds], { bytes: number; last_seq: number | null }>
  readonly #jobBytes: Statement<[Binds], { bytes: number }>
  readonly #findUnits: Statement<[Binds], { id: string }>

  /** @throws QueueError storage_refused when the database belongs to another instance; the system's error when it is not there */
  constructor(databaseFile: string, instanceId: string) {
    this.#database = new Database(databaseFile, { readonly: true, fileMustExist: true, timeout: busyTimeoutMs })
    try {
      this.#database.pragma('query_only = ON')
      this.#database.pragma('temp_store = MEMORY')
      const prepare = statementsOf(this.#database)
      const found = new Instance(prepare).read()
      if (found !== instanceId) {
        throw new QueueError(
          'storage_refused',
          `the database belonged to instance ${instanceId} and now to ${found ?? 'none'}: it was replaced while in use`,
        )
      }
      this.#jobs = new JobReader(prepare)
      this.#lists = new JobLists(prepare)
      this.#statistics = new StatisticsReader(prepare)
      this.#storedBytes = prepare<{ bytes: number; last_seq: number | null }>('read_stored_bytes')
      this.#jobBytes = prepare<{ bytes: number }>('read_job_bytes')
      this.#findUnits = prepare<{ id: string }>('find_units')
    } catch (thrown) {
      this.#database.close()
      throw thrown
    }
  }

  listJobs(filter: JobFilter, page: { beforeSeq?: number; limit: number }): readonly Job[] {
    return this.#lists.list(filter, page)
  }

  readParams(jobIds: readonly string[]): ReadonlyMap<string, JsonObject> {
    const known = jobIds.map((id) => [id, this.#jobs.readPayload(id)?.params] as const)
    return new Map(known.flatMap(([id, params]) => (params === undefined ? [] : [[id, params] as const])))
  }

  readUnitRecords(jobId: string, page: { afterPosition?: number; limit: number }): readonly UnitRecord[] {
    return this.#jobs.readUnits(jobId, page).map((unit) => {
      const payload = this.#jobs.readUnitPayload(unit.id)
      return {
        unit,
        input: payload?.input ?? null,
        output: payload?.output ?? null,
        lastAttempt: this.#jobs.readAttempts(unit.id).at(-1) ?? null,
      }
    })
  }

  readStatistics(now: number): Statistics {
    return this.#statistics.read(now)
  }

  readStoredBytes(afterUnitSeq: number, limit: number): { bytes: number; lastSeq: number | null } {
    const row = this.#storedBytes.get({ after_seq: afterUnitSeq, limit })
    return { bytes: row?.bytes ?? 0, lastSeq: row?.last_seq ?? null }
  }

  readJobBytes(jobIds: readonly string[]): number {
    return this.#jobBytes.get({ ids: JSON.stringify(jobIds) })?.bytes ?? 0
  }

  findUnits(unitIds: readonly string[]): readonly string[] {
    return this.#findUnits.all({ ids: JSON.stringify(unitIds) }).map((row) => row.id)
  }

  close(): void {
    this.#database.close()
  }
}
