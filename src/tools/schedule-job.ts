import { scheduleInput } from '../domain/wire/schedules.ts'
import { localTimeZone } from '../platform/local-time-zone.ts'
import { defineTool } from './define-tool.ts'

export const scheduleJob = defineTool({
  name: 'schedule_job',
  title: 'Schedule a job',
  description: `
Makes a schedule that submits a job again and again, by a cron expression in a time zone or by an interval; or changes the schedule of that name: what is left out stays as it was.

Use it for work that comes back: nightly reports, hourly checks, weekly backups. For one job at a later time use submit_job with run_at. Tell the user the next runs that the answer gives.

- cron: five fields (minute hour day month weekday), six with seconds first, or @hourly, @daily, @weekly, @monthly, @yearly; or every_s with an optional start_at.
- job: as submit_job takes it, without run_at and idempotency_key. Give cwd inside params always. It finds NIGHTKILN_SCHEDULE and NIGHTKILN_DUE_AT in its environment.
- missed: what happens with due times that pass while nothing can run; overlap: what happens when the earlier job has not ended.
- enabled: false pauses it, true lets it go on from now.

When clocks change: a time of day that does not exist in spring runs right after the gap, one that exists twice in autumn runs once; patterns with * or a step in seconds, minutes or hours run at every real match.

Answers: schedule (next_runs, last_run, history), existing (a schedule of that name was changed), notes in words, next.`,
  example: {
    name: 'nightly report',
    cron: '0 6 * * *',
    time_zone: 'Europe/Berlin',
    missed: 'once',
    job: { params: { argv: ['./report.sh'], cwd: '/home/ada/project' } },
  },
  input: scheduleInput,
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: true },
  request: async (input, caller) => ({
    ...input,
    local_time_zone: localTimeZone(),
    context: await caller.submitContext(),
  }),
})
