import type { Schedule } from '../../domain/ports/schedule-store.ts'
import { ClockWatch } from './clock-watch.ts'
import { ScheduleCatchUp } from './schedule-catch-up.ts'
import type { SchedulerOptions } from './scheduler-options.ts'

/** The timer is a hint: it stands still in suspend and knows no jump of the wall clock. */
const longestSleepMs = 30_000
/** After a failure of the storage. */
const retryMs = 5_000
/** A clock that was set back by more than this was wrong before: due times are computed anew. */
const wrongClockMs = 24 * 3_600_000

/**
 * Fires schedules. What is due is decided by the wall clock and the stored due times alone, so neither a restart nor a jump of
 * the clock nor a sleep of the machine loses or doubles a run.
 */
export class Scheduler<Prepared = unknown> {
  readonly #options: SchedulerOptions<Prepared>
  readonly #catchUp: ScheduleCatchUp<Prepared>
  readonly #clockWatch: ClockWatch
  /** As last read; the catch-ups keep the due times in it current. */
  #schedules: readonly Schedule[] = []
  readonly #busy = new Map<string, Promise<void>>()
  /** Monotonic ms before which a timer does not try again. */
  #holdUntil = 0
  #timer: NodeJS.Timeout | null = null
  #running = false

  constructor(options: SchedulerOptions<Prepared>) {
    this.#options = options
    this.#catchUp = new ScheduleCatchUp(options, () => !this.#running)
    this.#clockWatch = new ClockWatch(options.clock)
  }

  /** Handles what became due while no manager ran, and goes on from there. */
  start(): void {
    if (this.#running) return
    this.#running = true
    this.#read()
    this.#distrustFarTimes()
    void this.runDue()
  }

  /** To be called when a schedule was made, changed or removed. */
  wake(): void {
    if (!this.#running) return
    this.#read()
    void this.runDue()
  }

  /** Nothing fires afterwards. @returns when what was being submitted is decided */
  async stop(): Promise<void> {
    this.#running = false
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    await Promise.allSettled([...this.#busy.values()])
  }

  /** Wall ms of the next due time of any schedule (it may be past); null when nothing will fire. */
  nextRunAt(): number | null {
    const times = this.#live().map((schedule) => schedule.nextRunAt ?? Number.POSITIVE_INFINITY)
    return times.length === 0 ? null : Math.min(...times)
  }

  /** True while the manager must stay for a schedule. */
  hasEnabled(): boolean {
    return this.#live().length > 0
  }

  /** Enabled schedules, whether or not they will ever be due again. */
  enabledCount(): number {
    return this.#schedules.filter((schedule) => schedule.enabled).length
  }

  /** Handles everything that is due now. @returns when it is decided and stored; never rejects */
  async runDue(): Promise<void> {
    if (!this.#running) return
    if (this.#clockWatch.look() > 0) this.#distrustFarTimes()
    const now = this.#options.clock.now()
    const works = this.#live()
      .filter((schedule) => (schedule.nextRunAt ?? Number.POSITIVE_INFINITY) <= now)
      .map((schedule) => this.#busy.get(schedule.id) ?? this.#begin(schedule.id))
    this.#arm()
    await Promise.all(works)
  }

  #begin(scheduleId: string): Promise<void> {
    const { log, clock } = this.#options
    const work = this.#catchUp
      .run(scheduleId)
      .catch((error: unknown) => {
        this.#holdUntil = clock.monotonic() + retryMs
        log.warn({ err: error, scheduleId }, 'a schedule could not fire; it is tried again')
      })
      .finally(() => {
        this.#busy.delete(scheduleId)
        if (!this.#running) return
        this.#read()
        this.#arm()
      })
    this.#busy.set(scheduleId, work)
    return work
  }

  #live(): readonly Schedule[] {
    return this.#schedules.filter((schedule) => schedule.enabled && schedule.nextRunAt !== null)
  }

  #read(): void {
    try {
      this.#schedules = this.#options.store.readSchedules()
    } catch (error) {
      this.#options.log.warn({ err: error }, 'schedules could not be read')
    }
  }

  #arm(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    if (!this.#running) return
    const waiting = this.#live().filter((schedule) => !this.#busy.has(schedule.id))
    if (waiting.length === 0) return
    const { clock } = this.#options
    const untilDue = Math.min(...waiting.map((schedule) => schedule.nextRunAt ?? 0)) - clock.now()
    const untilAllowed = this.#holdUntil - clock.monotonic()
    const delay = Math.min(longestSleepMs, Math.max(0, untilDue, untilAllowed))
    this.#timer = setTimeout(() => void this.runDue(), delay)
    this.#timer.unref()
  }

  /**
   * A clock that was days ahead left due times behind that would not come for as long. An hour is nothing: what was recorded
   * in it must not fire again, and the rest comes in time.
   */
  #distrustFarTimes(): void {
    const { store, commits, clock, dueTimes, log } = this.#options
    const now = clock.now()
    for (const schedule of this.#live()) {
      const newest = store.readScheduleRuns(schedule.id, 1)[0]?.dueAt ?? 0
      if (Math.max(newest, schedule.updatedAt) <= now + wrongClockMs) continue
      const next = dueTimes.next(schedule, now)
      if (next === null || schedule.nextRunAt === null || next >= schedule.nextRunAt) continue
      log.warn({ schedule: schedule.name, from: schedule.nextRunAt, to: next }, 'the clock was wrong: due time moved')
      commits
        .run(() => store.advanceSchedule(schedule.id, schedule.nextRunAt, next))
        .then(
          () => this.wake(),
          (error: unknown) => log.warn({ err: error }, 'a due time could not be moved'),
        )
    }
  }
}
