import type { OperationCall } from '../../domain/wire/operations.ts'
import type { ListSchedulesAnswer } from '../../domain/wire/schedules.ts'
import { scheduleView } from './schedule-view.ts'
import type { ServiceContext } from './service-context.ts'

/** Schedules by name, with what they did last and will do next. */
export function listSchedules(context: ServiceContext, request: OperationCall<'list_schedules'>): ListSchedulesAnswer {
  const all = [...context.store.readSchedules()].sort((left, right) => left.name.localeCompare(right.name, 'en'))
  const found = all.filter((schedule) => request.name === undefined || schedule.name === request.name)
  return {
    schedules: found.map((schedule) => scheduleView(context, schedule, request.history)),
    next: nextStep(
      found.length,
      all.map((schedule) => schedule.name),
    ),
  }
}

function nextStep(found: number, names: readonly string[]): string {
  if (found > 0) return 'job_status {"ids":["…"]} shows a job of theirs; schedule_job with the same name changes one.'
  if (names.length === 0) return 'There are no schedules; schedule_job makes one.'
  return `No schedule has that name; there are: ${namesText(names)}.`
}

const shownNames = 20

/** @returns names for a sentence; of many the first. */
export function namesText(names: readonly string[]): string {
  const shown = names.slice(0, shownNames).map((name) => JSON.stringify(name))
  const more = names.length - shown.length
  return shown.join(', ') + (more > 0 ? ` and ${more} more` : '')
}
