import { removeScheduleRequest } from '../domain/wire/schedules.ts'
import { defineTool } from './define-tool.ts'

export const removeSchedule = defineTool({
  name: 'remove_schedule',
  title: 'Remove a schedule',
  description: `
Removes a schedule for good, with the record of its runs. Jobs that it submitted stay and go on; cancel_job stops them.

Use it only when the user wants the repetition to end. To stop it for a while use schedule_job with the name and enabled: false.

Answers: name, removed (false: no schedule has that name; nothing changed), next.`,
  example: { name: 'nightly report' },
  input: removeScheduleRequest,
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  request: (input) => input,
})
