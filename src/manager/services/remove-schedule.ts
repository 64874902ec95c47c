import type { OperationCall } from '../../domain/wire/operations.ts'
import type { RemoveScheduleAnswer } from '../../domain/wire/schedules.ts'
import { namesText } from './list-schedules.ts'
import type { ServiceContext } from './service-context.ts'

/** Removes a schedule with the history of its runs; its jobs stay and go on. */
export async function removeSchedule(
  { store, commits, scheduler }: ServiceContext,
  { name }: OperationCall<'remove_schedule'>,
): Promise<RemoveScheduleAnswer> {
  const { removed, names } = await commits.run((commit) => {
    const schedules = store.readSchedules()
    const schedule = schedules.find((one) => one.name === name)
    commit.afterCommit(() => scheduler.wake())
    return {
      removed: schedule !== undefined && store.removeSchedule(schedule.id),
      names: schedules.map((one) => one.name),
    }
  })
  if (removed) return { name, removed, next: 'Nothing: it does not fire any more. Jobs that it submitted go on.' }
  const next = names.length === 0 ? 'there are no schedules' : `there are: ${namesText(names)}`
  return { name, removed, next: `Nothing changed: no schedule has that name; ${next}. list_schedules {} shows them.` }
}
