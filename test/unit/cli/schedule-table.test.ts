import { describe, expect, test } from 'vitest'
import { scheduleRunTable, scheduleTable } from '../../../src/cli/display/schedule-table.ts'
import type { ScheduleView } from '../../../src/domain/wire/schedules.ts'
import { fakeTerminal } from './fake-terminal.ts'

const now = Date.UTC(2030, 0, 1, 12)
const jobId = '01941f29-7c00-7000-8000-0000000000ab'
const run = {
  due_at: '2030-01-01T05:00:00.000Z',
  outcome: 'submitted',
  job_id: jobId,
  job_state: 'failed',
  error: null,
} as const
const missed = {
  due_at: '2029-12-31T05:00:00.000Z',
  outcome: 'missed',
  job_id: null,
  job_state: null,
  error: 'nothing could run until 2 h later',
} as const
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
  next_runs: ['2030-01-02T05:00:00.000Z'],
  last_run: run,
  history: [run, missed],
}

describe('scheduleTable', () => {
  test('shows when, next and last on the clocks of the zone', () => {
    const { terminal } = fakeTerminal()
    const interval = { ...view, name: 'mirror', cron: null, every_s: 900, enabled: false, last_run: null }
    expect(scheduleTable([view, interval], terminal, now).split('\n')).toEqual([
      'NAME     WHEN        ZONE           NEXT                               LAST  OUTCOME  JOB',
      'nightly  0 6 * * *   Europe/Berlin  Wed 2030-01-02 06:00 (in 17 h)  7 h ago  failed   report',
      'mirror   every 15 m  Europe/Berlin  paused                                            report',
    ])
  })

  test('fits a narrow terminal on one line each', () => {
    const { terminal } = fakeTerminal({ isTTY: true, columns: 60 })
    for (const line of scheduleTable([view], terminal, now).split('\n')) expect(line.length).toBeLessThan(60)
  })

  test('a zone that only the manager knows is no reason to fail', () => {
    const { terminal } = fakeTerminal()
    expect(scheduleTable([{ ...view, time_zone: 'Mars/Olympus' }], terminal, now)).toContain('2030-01-02T05:00:00.000Z')
  })
})

test('scheduleRunTable shows what became of every due time', () => {
  const { terminal } = fakeTerminal()
  expect(scheduleRunTable(view, terminal).split('\n')).toEqual([
    'DUE                   OUTCOME    JOB                                   STATE   WHY',
    `Tue 2030-01-01 06:00  submitted  ${jobId}  failed`,
    'Mon 2029-12-31 06:00  missed                                                   nothing could run until 2 h later',
  ])
})
