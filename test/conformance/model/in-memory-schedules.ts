import type { Schedule, ScheduleNews, ScheduleRun, ScheduleStore } from '../../../src/domain/ports/schedule-store.ts'
import type { ModelAccess } from './in-memory-history.ts'
import type { ModelState } from './model-state.ts'

/** Schedules as plain lists. */
export class InMemorySchedules implements ScheduleStore {
  readonly #model: ModelAccess

  constructor(model: ModelAccess) {
    this.#model = model
  }

  get #state(): ModelState {
    return this.#model.state()
  }

  saveSchedule(schedule: Schedule): void {
    this.#model.change(() => {
      const { schedules } = this.#state
      if (schedules.some((each) => each.name === schedule.name && each.id !== schedule.id))
        throw new Error(`schedule ${schedule.name} exists`)
      const known = schedules.find((each) => each.id === schedule.id)
      const createdAt = known?.createdAt ?? schedule.createdAt
      this.#state.schedules = [
        ...schedules.filter((each) => each !== known),
        structuredClone({ ...schedule, createdAt }),
      ]
    })
  }

  removeSchedule(scheduleId: string): boolean {
    return this.#model.change(() => {
      const kept = this.#state.schedules.filter((each) => each.id !== scheduleId)
      const isRemoved = kept.length < this.#state.schedules.length
      this.#state.schedules = kept
      this.#state.scheduleRuns = this.#state.scheduleRuns.filter(({ run }) => run.scheduleId !== scheduleId)
      return isRemoved
    })
  }

  readSchedules(): readonly Schedule[] {
    return structuredClone(this.#state.schedules).sort((left, right) => (left.name < right.name ? -1 : 1))
  }

  advanceSchedule(scheduleId: string, from: number | null, to: number | null): boolean {
    return this.#model.change(() => {
      const found = this.#state.schedules.find((each) => each.id === scheduleId && each.nextRunAt === from)
      if (found === undefined) return false
      this.#state.schedules = this.#state.schedules.map((each) => (each === found ? { ...each, nextRunAt: to } : each))
      return true
    })
  }

  recordScheduleRun(run: ScheduleRun): boolean {
    return this.#model.change(() => {
      const { scheduleId, dueAt } = run
      const isKnown = this.#runsOf(scheduleId).some((each) => each.run.dueAt === dueAt)
      if (isKnown || !this.#state.schedules.some((each) => each.id === scheduleId)) return false
      const data = { schedule_id: scheduleId, due_at: dueAt, error: run.error }
      const eventId = this.#model.tell(`schedule.${run.outcome}`, run.jobId ?? '', null, data, run.createdAt)
      this.#state.scheduleRuns.push({ run: { ...run }, eventId })
      return true
    })
  }

  readScheduleRuns(scheduleId: string, limit: number): readonly ScheduleRun[] {
    return this.#runsOf(scheduleId)
      .map(({ run }) => ({ ...run }))
      .sort((left, right) => right.dueAt - left.dueAt)
      .slice(0, limit)
  }

  readScheduleNews(afterEvent: number, limit: number): readonly ScheduleNews[] {
    return this.#state.scheduleRuns
      .filter(({ run, eventId }) => run.outcome !== 'submitted' && eventId > afterEvent)
      .sort((left, right) => left.eventId - right.eventId)
      .slice(0, limit)
      .map(({ run, eventId }) => {
        const schedule = this.#state.schedules.find((each) => each.id === run.scheduleId)
        return { run: { ...run }, scheduleName: schedule?.name ?? '', eventId }
      })
  }

  #runsOf(scheduleId: string): ModelState['scheduleRuns'] {
    return this.#state.scheduleRuns.filter(({ run }) => run.scheduleId === scheduleId)
  }
}
