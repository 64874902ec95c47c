import type { Statement } from 'better-sqlite3'
import type { Job } from '../domain/job.ts'
import type { HeldUnit, WorkerRecord } from '../domain/ports/job-store.ts'
import type { ExecutorKind } from '../domain/states.ts'
import { type AttemptRow, type RunnerRow, toRemote, toRunner } from './attempt-row.ts'
import type { JobReader } from './job-reader.ts'
import { toJob } from './job-row.ts'
import type { Binds, Prepare } from './statement-loader.ts'

interface HeldRow extends RunnerRow, Pick<AttemptRow, 'remote_worker' | 'remote_id'> {
  unit_id: string
  attempt: number
  nonce: string
  worker_id: string
  job_seq: number
  limit_key: string | null
  failures: number
  executor: ExecutorKind
  attempt_started_at: number
  elapsed_ms: number
}

/** Workers, their leases, the units that they hold, and those that wait for another try. */
export class Workers {
  readonly #jobs: JobReader
  readonly #register: Statement<[Binds]>
  readonly #heartbeat: Statement<[Binds]>
  readonly #stop: Statement<[Binds]>
  readonly #shiftRetries: Statement<[Binds]>
  readonly #findHeld: Statement<[Binds], HeldRow>
  readonly #findHeldOfWorker: Statement<[Binds], HeldRow>
  readonly #findHeldOfJob: Statement<[Binds], HeldRow>

  constructor(prepare: Prepare, jobs: JobReader) {
    this.#jobs = jobs
    this.#register = prepare('register_worker')
    this.#heartbeat = prepare('heartbeat_worker')
    this.#stop = prepare('stop_worker')
    this.#shiftRetries = prepare('shift_retries')
    this.#findHeld = prepare<HeldRow>('find_held_units')
    this.#findHeldOfWorker = prepare<HeldRow>('find_held_units_of_worker')
    this.#findHeldOfJob = prepare<HeldRow>('find_held_units_of_job')
  }

  register(worker: WorkerRecord, now: number, leaseExpiresAt: number): void {
    const { id, kind, name, pid, slots } = worker
    this.#register.run({ id, kind, name, pid, slots, now, lease_expires_at: leaseExpiresAt })
  }

  heartbeat(workerId: string, now: number, leaseExpiresAt: number): boolean {
    return this.#heartbeat.run({ worker_id: workerId, now, lease_expires_at: leaseExpiresAt }).changes === 1
  }

  stop(workerId: string, now: number): void {
    this.#stop.run({ worker_id: workerId, now })
  }

  shiftRetries(byMs: number): number {
    return this.#shiftRetries.run({ by_ms: byMs }).changes
  }

  findHeld(filter: { workerId?: string; leaseExpiredBefore?: number; limit: number }): HeldUnit[] {
    const binds = { lease_expired_before: filter.leaseExpiredBefore ?? null, limit: filter.limit }
    return this.#toHeldUnits(
      filter.workerId === undefined
        ? this.#findHeld.all(binds)
        : this.#findHeldOfWorker.all({ ...binds, worker_id: filter.workerId }),
    )
  }

  findHeldOfJob(jobSeq: number): HeldUnit[] {
    return this.#toHeldUnits(this.#findHeldOfJob.all({ job_seq: jobSeq }))
  }

  #toHeldUnits(rows: readonly HeldRow[]): HeldUnit[] {
    const jobs = new Map<number, Job>()
    return rows.map((row) => {
      const job = jobs.get(row.job_seq) ?? toJob(this.#jobs.readRow(row.job_seq))
      jobs.set(row.job_seq, job)
      return {
        fence: { unitId: row.unit_id, attempt: row.attempt, nonce: row.nonce, workerId: row.worker_id },
        job,
        executor: row.executor,
        limitKey: row.limit_key,
        runner: toRunner(row),
        remote: toRemote(row),
        startedAt: row.attempt_started_at,
        failures: row.failures,
        elapsedMs: row.elapsed_ms,
      }
    })
  }
}
