import { type ListSchedulesAnswer, listSchedulesRequest, type ScheduleView } from '../domain/wire/schedules.ts'
import { defineTool, readOnly } from './define-tool.ts'
import { type Cut, fitAnswer } from './fit-answer.ts'

function each(change: (schedule: ScheduleView) => ScheduleView): Cut<ListSchedulesAnswer> {
  return (answer) => ({ ...answer, schedules: answer.schedules.map(change) })
}

export const listSchedules = defineTool({
  name: 'list_schedules',
  title: 'Show schedules',
  description: `
Shows the schedules with their next due times and what became of the last ones: submitted (with the job and its state), missed (nothing could run), overlapped (the earlier job had not ended) or refused (with the error).

Use it to answer when something runs next, or why a night brought nothing. For the jobs themselves use job_status with their ids.

Answers: schedules (all, or the one named; history runs of each, 5 by default), next.`,
  example: { name: 'nightly report', history: 20 },
  input: listSchedulesRequest,
  annotations: readOnly,
  request: (input) => input,
  fit: (answer) =>
    fitAnswer(
      answer,
      [
        each((schedule) => ({ ...schedule, history: schedule.history.slice(0, 5) })),
        each((schedule) => ({ ...schedule, history: [] })),
        each((schedule) => ({ ...schedule, next_runs: schedule.next_runs.slice(0, 1) })),
      ],
      'list_schedules',
    ),
})
