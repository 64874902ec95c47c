import { expect, test } from 'vitest'
import { usualAnswerCharacters } from '../../../src/config/answer-limit.ts'
import type { ScheduleView } from '../../../src/domain/wire/schedules.ts'
import { localTimeZone } from '../../../src/platform/local-time-zone.ts'
import type { Tool } from '../../../src/tools/define-tool.ts'
import { listSchedules } from '../../../src/tools/list-schedules.ts'
import { removeSchedule } from '../../../src/tools/remove-schedule.ts'
import { scheduleJob } from '../../../src/tools/schedule-job.ts'
import { callTool } from '../../support/tool-call.ts'

const view: ScheduleView = {
  id: 'id',
  name: 'nightly',
  cron: '0 6 * * *',
  every_s: null,
  time_zone: 'Europe/Berlin',
  missed: 'once',
  overlap: 'skip',
  enabled: true,
  job_name: 'report',
  next_runs: ['2030-01-02T05:00:00.000Z', '2030-01-03T05:00:00.000Z'],
  last_run: null,
  history: [],
}

async function call(tool: Tool, input: unknown, answer: unknown) {
  const { result, seen } = await callTool(tool, input, answer)
  return { result, request: seen[0]?.request }
}

test('schedule_job sends who asks and where they are', async () => {
  const job = { params: { argv: ['make'], cwd: '/work' } }
  const answer = { schedule: view, existing: false, notes: [], next: 'none' }
  const { result, request } = await call(scheduleJob, { name: 'nightly', cron: '0 6 * * *', job }, answer)
  expect(request).toEqual({
    name: 'nightly',
    cron: '0 6 * * *',
    job: { type: 'command', ...job },
    local_time_zone: localTimeZone(),
    context: { environment: {}, cwd: '/work', submitted_by: 'client 1' },
  })
  expect(result.structuredContent).toEqual(answer)
})

test('schedule_job names what is wrong', async () => {
  const { result } = await call(scheduleJob, { name: 'a/b', every_s: 0.1, job: { run_at: 'x' } }, {})
  expect(result.isError).toBe(true)
  expect(JSON.stringify(result.content)).toMatch(/name is .*every_s is 0\.1, but must be at least 1.*run_at/)
})

test('many schedules still fit: runs go first, next times stay', async () => {
  const history = Array.from({ length: 50 }, () => ({
    due_at: '2030-01-01T05:00:00.000Z',
    outcome: 'missed' as const,
    job_id: null,
    job_state: null,
    error: 'nothing could run until 2 h later',
  }))
  const schedules = Array.from({ length: 30 }, (_, index) => ({ ...view, name: `schedule ${index}`, history }))
  const { result } = await call(listSchedules, { history: 50 }, { schedules, next: 'none' })
  const shown = result.structuredContent as { schedules: ScheduleView[]; next: string }
  expect(JSON.stringify(shown).length).toBeLessThan(usualAnswerCharacters)
  expect(shown.schedules).toHaveLength(30)
  expect(shown.schedules[0]?.next_runs).toHaveLength(2)
  expect(shown.next).toMatch(/left out to keep this answer small: list_schedules \{"name":/)
})

test('remove_schedule takes a name', async () => {
  const { request } = await call(removeSchedule, { name: 'nightly' }, { name: 'nightly', removed: true, next: 'none' })
  expect(request).toEqual({ name: 'nightly' })
})

test.each([scheduleJob, listSchedules, removeSchedule])('the example of $name is valid', async (tool) => {
  const example = /\n\nExample: (.+)$/.exec(tool.listed().description ?? '')?.[1] ?? ''
  const { result } = await call(tool, JSON.parse(example), {})
  expect(JSON.stringify(result.content)).toContain('is not in the promised form')
})
