import type { Statement } from 'better-sqlite3'
import type { Binds, Prepare } from './statement-loader.ts'

/** Awake time of jobs with a total timeout, ms. */
export class JobClocks {
  readonly #record: Statement<[Binds]>
  readonly #read: Statement<[Binds], { elapsed_ms: number }>

  constructor(prepare: Prepare) {
    this.#record = prepare('record_job_elapsed')
    this.#read = prepare<{ elapsed_ms: number }>('read_job_elapsed')
  }

  record(jobId: string, elapsedMs: number): void {
    this.#record.run({ job_id: jobId, elapsed_ms: elapsedMs })
  }

  read(jobId: string): number {
    return this.#read.get({ job_id: jobId })?.elapsed_ms ?? 0
  }
}
