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
      found[0]?.name,
      all.map((schedule) => schedule.name),
    ),
  }
}

function nextStep(first: string | undefined, names: readonly string[]): string {
  if (first !== undefined) {
    const name = JSON.stringify(first)
    return `schedule_job {"name":${name},"enabled":false} pauses one; with cron or every_s it changes when it runs; job_status shows the jobs of their runs.`
  }
  if (names.length === 0)
    return `There are no schedules. One is made by, for example, schedule_job ${exampleOfSchedule}.`
  return `No schedule has that name; there are: ${namesText(names)}. list_schedules {} shows all.`
}

const exampleOfSchedule = JSON.stringify({
  name: 'nightly report',
  cron: '0 6 * * *',
  job: { params: { argv: ['./report.sh'], cwd: '/home/ada/project' } },
})

const shownNames = 20

/** @returns names for a sentence; of many the first. */
export function namesText(names: readonly string[]): string {
  const shown = names.slice(0, shownNames).map((name) => JSON.stringify(name))
  const more = names.length - shown.length
  return shown.join(', ') + (more > 0 ? ` and ${more} more` : '')
}
