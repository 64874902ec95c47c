import { QueueError, toErrorRecord } from '../../domain/errors.ts'
import { mostCaughtUp, planDueTimes } from '../../domain/missed-runs.ts'
import type { NewDependency } from '../../domain/ports/job-store.ts'
import type { Schedule, ScheduleRun } from '../../domain/ports/schedule-store.ts'
import type { PassedTimes } from '../../domain/schedule-times.ts'
import { invalidInput } from '../../domain/wire/invalid-input.ts'
import { type SubmitRequest, submitRequest } from '../../domain/wire/submit.ts'
import type { Commit } from './commit-queue.ts'
import { missedSlices, mostRecorded } from './missed-records.ts'
import type { SchedulerOptions } from './scheduler-options.ts'

/** With the overlap policy "queue" so many jobs wait at most. */
const mostQueued = 100
/** Runs that are looked at for jobs that have not ended, once after a start. */
const runsLookedAt = 1_000

/** The due time was recorded before: its operation is undone as a whole. */
class AlreadyRecorded extends Error {}

/** Decides and stores what becomes of the due times of one schedule that have come. */
export class ScheduleCatchUp<Prepared> {
  readonly #options: SchedulerOptions<Prepared>
  readonly #isStopped: () => boolean
  /** Jobs of a schedule that had not ended when last looked at, oldest first; only this class submits them. */
  readonly #unfinished = new Map<string, readonly string[]>()

  constructor(options: SchedulerOptions<Prepared>, isStopped: () => boolean) {
    this.#options = options
    this.#isStopped = isStopped
  }

  /** Handles what is due, until nothing is. @throws what the storage throws: the rest stays due */
  async run(scheduleId: string): Promise<void> {
    while (!this.#isStopped()) {
      const { clock, store } = this.#options
      const now = clock.now()
      const schedule = store.readSchedules().find((one) => one.id === scheduleId)
      if (schedule === undefined) this.#unfinished.delete(scheduleId)
      if (schedule === undefined || !schedule.enabled) return
      if (schedule.nextRunAt === null || schedule.nextRunAt > now) return
      await this.#handle(schedule, schedule.nextRunAt, now)
    }
  }

  async #handle(schedule: Schedule, first: number, now: number): Promise<void> {
    const { dueTimes } = this.#options
    let passed: PassedTimes
    let after: number | null
    try {
      passed = dueTimes.passed(schedule, first, now, mostRecorded + mostCaughtUp)
      after = dueTimes.next(schedule, now)
    } catch (error) {
      // The zone is unknown since an update, say. It must not stop in silence.
      await this.#refuse(schedule, first, null, error)
      return
    }
    // The stored due time counts even where the rule no longer names it.
    const times = passed.times.length > 0 || passed.omitted !== null ? passed.times : [first]
    const plan = planDueTimes(times, now, schedule.missedPolicy)
    let from = first
    for (const { rows, next } of missedSlices(schedule, passed, plan, now, after)) {
      if (!(await this.#recordMissed(schedule, rows, from, next))) return
      from = next ?? from
    }
    for (const [index, dueAt] of plan.run.entries()) {
      if (this.#isStopped()) return
      if (!(await this.#fire(schedule, { from, dueAt, next: plan.run[index + 1] ?? after }))) return
      from = plan.run[index + 1] ?? from
    }
  }

  /** @returns false when the schedule was changed meanwhile: what is left must be planned anew. */
  #recordMissed(schedule: Schedule, rows: readonly ScheduleRun[], from: number, next: number | null): Promise<boolean> {
    const { commits, store } = this.#options
    return commits.run(() => {
      if (!store.advanceSchedule(schedule.id, from, next)) return false
      for (const row of rows) store.recordScheduleRun(row)
      return true
    })
  }

  async #fire(schedule: Schedule, step: Step): Promise<boolean> {
    const { store, commits, prepare, discard } = this.#options
    if (this.#isRecorded(schedule, step.dueAt)) {
      return commits.run(() => store.advanceSchedule(schedule.id, step.from, step.next))
    }
    if (schedule.overlapPolicy === 'skip') {
      const earlier = this.#unfinishedJobs(schedule.id)
      if (earlier.length > 0) return commits.run(() => this.#overlap(schedule, step, earlier))
    }
    let prepared: { readonly value: Prepared } | undefined
    let isSubmitted = false
    try {
      prepared = { value: await prepare(requestOf(schedule, step.dueAt)) }
      if (this.#isStopped()) return false
      const { value } = prepared
      const outcome = await commits.run((commit) => this.#submit(schedule, step, value, commit))
      isSubmitted = outcome === 'submitted'
      return outcome !== 'changed'
    } catch (error) {
      if (error instanceof AlreadyRecorded) {
        return commits.run(() => store.advanceSchedule(schedule.id, step.from, step.next))
      }
      if (isStorageTrouble(error)) throw error
      return this.#refuse(schedule, step.dueAt, step.next, error, step.from)
    } finally {
      if (prepared !== undefined && !isSubmitted) discard?.(prepared.value)
    }
  }

  /** The submit, the record and the next due time are one change. */
  #submit(schedule: Schedule, step: Step, prepared: Prepared, commit: Commit): 'submitted' | 'overlapped' | 'changed' {
    const { store, clock, submit } = this.#options
    if (!store.advanceSchedule(schedule.id, step.from, step.next)) return 'changed'
    const earlier = this.#unfinishedJobs(schedule.id)
    const waits = schedule.overlapPolicy === 'queue'
    if (earlier.length > 0 && (schedule.overlapPolicy === 'skip' || (waits && earlier.length >= mostQueued))) {
      this.#recordOverlap(schedule, step.dueAt, earlier)
      return 'overlapped'
    }
    if (schedule.overlapPolicy === 'cancel') for (const id of earlier) this.#cancel(id, commit)
    const job = submit(
      prepared,
      {
        scheduleId: schedule.id,
        idempotencyKey: idempotencyKeyOf(schedule.id, step.dueAt),
        dependencies: waits ? earlier.map(toDependency) : [],
      },
      commit,
    )
    const run = { scheduleId: schedule.id, dueAt: step.dueAt, outcome: 'submitted', jobId: job.id } as const
    if (!store.recordScheduleRun({ ...run, error: null, createdAt: clock.now() })) throw new AlreadyRecorded()
    commit.afterCommit(() => this.#unfinished.set(schedule.id, [...earlier, job.id]))
    return 'submitted'
  }

  #overlap(schedule: Schedule, step: Step, earlier: readonly string[]): boolean {
    if (!this.#options.store.advanceSchedule(schedule.id, step.from, step.next)) return false
    this.#recordOverlap(schedule, step.dueAt, earlier)
    return true
  }

  /** The record names the job that was in the way. */
  #recordOverlap(schedule: Schedule, dueAt: number, earlier: readonly string[]): void {
    const { store, clock } = this.#options
    const error =
      schedule.overlapPolicy === 'queue'
        ? `${earlier.length} jobs of earlier due times wait already`
        : 'the job of an earlier due time had not ended (overlap policy skip)'
    const run = { scheduleId: schedule.id, dueAt, outcome: 'overlapped', jobId: earlier.at(-1) ?? null } as const
    store.recordScheduleRun({ ...run, error, createdAt: clock.now() })
  }

  #cancel(jobId: string, commit: Commit): void {
    const { store, clock, stop } = this.#options
    const outcome = store.requestCancel(jobId, 'overlap', clock.now())
    if (outcome.kind !== 'cancelling') return
    commit.afterCommit(() => {
      for (const held of outcome.held) stop(held.fence.unitId)
    })
  }

  async #refuse(
    schedule: Schedule,
    dueAt: number,
    next: number | null,
    thrown: unknown,
    from = dueAt,
  ): Promise<boolean> {
    const { store, commits, clock, log } = this.#options
    const { code, message } = toErrorRecord(thrown)
    log.warn({ err: thrown, schedule: schedule.name, dueAt }, 'a due time of a schedule made no job')
    return commits.run(() => {
      if (!store.advanceSchedule(schedule.id, from, next)) return false
      const run = { scheduleId: schedule.id, dueAt, outcome: 'refused', jobId: null } as const
      store.recordScheduleRun({ ...run, error: `${code}: ${message}`, createdAt: clock.now() })
      return true
    })
  }

  /** After the clock was set back, due times come for a second time. */
  #isRecorded(schedule: Schedule, dueAt: number): boolean {
    const { store } = this.#options
    const newest = store.readScheduleRuns(schedule.id, 1)[0]
    if (newest === undefined || newest.dueAt < dueAt) return false
    return store.readScheduleRuns(schedule.id, runsLookedAt).some((run) => run.dueAt === dueAt)
  }

  #unfinishedJobs(scheduleId: string): readonly string[] {
    const known = this.#unfinished.get(scheduleId) ?? this.#jobsOfRuns(scheduleId)
    const jobs = known.length === 0 ? [] : this.#options.store.readJobs(known)
    const open = new Set(jobs.filter((job) => job.finishedAt === null).map((job) => job.id))
    const unfinished = known.filter((id) => open.has(id))
    this.#unfinished.set(scheduleId, unfinished)
    return unfinished
  }

  #jobsOfRuns(scheduleId: string): readonly string[] {
    const runs = this.#options.store.readScheduleRuns(scheduleId, runsLookedAt)
    return [...new Set(runs.flatMap((run) => run.jobId ?? []).reverse())]
  }
}

interface Step {
  /** The stored due time before the step. */
  readonly from: number
  readonly dueAt: number
  /** The stored due time after it. */
  readonly next: number | null
}

function toDependency(jobId: string, index: number): NewDependency {
  return { jobId, alias: `earlier_${index}`, condition: 'ended' }
}

function idempotencyKeyOf(scheduleId: string, dueAt: number): string {
  return `schedule/${scheduleId}/${dueAt}`
}

/** True for errors after which nothing was stored and the same may succeed later. */
function isStorageTrouble(error: unknown): boolean {
  return error instanceof QueueError && (error.code === 'outcome_unknown' || error.code === 'storage_busy')
}

/** @throws QueueError invalid_input when what was stored is no request any more */
function requestOf(schedule: Schedule, dueAt: number): SubmitRequest {
  const stored = { ...schedule.submission, idempotency_key: idempotencyKeyOf(schedule.id, dueAt) }
  const parsed = submitRequest.safeParse(stored)
  if (!parsed.success) throw invalidInput(parsed.error, { schema: submitRequest, value: stored })
  const request = parsed.data
  const { environment } = request.context
  const about = { NIGHTKILN_SCHEDULE: schedule.name, NIGHTKILN_DUE_AT: new Date(dueAt).toISOString() }
  return {
    ...request,
    name: request.name ?? schedule.name,
    context: { ...request.context, environment: { ...environment, ...about } },
  }
}
