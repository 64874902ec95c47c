import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { listSchedulesAnswer, removeScheduleAnswer, scheduleAnswer } from '../../src/domain/wire/schedules.ts'
import { useTemporaryHome } from '../support/temporary-home.ts'
import { waitUntil } from '../support/wait-until.ts'
import { errorOf, jsonOf, runCli } from './run-cli.ts'

const nightly = [
  'schedule',
  'add',
  'nightly',
  '--cron',
  '0 6 * * *',
  '--time-zone',
  'Europe/Berlin',
  '--missed',
  'once',
]

describe('schedule', () => {
  it('fires, shows the run and its job, and stops when it is paused', async () => {
    const home = useTemporaryHome()
    const added = await runCli(home, [
      'schedule',
      'add',
      'beat',
      '--every',
      '1s',
      '--json',
      '--shell',
      'echo "$NIGHTKILN_SCHEDULE $NIGHTKILN_DUE_AT" >> fired.txt',
    ])
    expect(added.stderr).toBe('')
    expect(scheduleAnswer.parse(jsonOf(added))).toMatchObject({
      existing: false,
      schedule: { name: 'beat', every_s: 1 },
    })
    const finished = async () => {
      const { schedules } = listSchedulesAnswer.parse(
        jsonOf(await runCli(home, ['schedule', 'runs', 'beat', '--json'])),
      )
      return schedules[0]?.history.some((run) => run.job_state === 'completed') === true
    }
    await waitUntil(finished, { what: 'a job of the schedule has ended' })
    expect(readFileSync(join(home.home, 'fired.txt'), 'utf8')).toMatch(/^beat \d{4}-\d\d-\d\dT[\d:.]+Z\n/)
    const paused = await runCli(home, ['schedule', 'pause', 'beat'])
    expect(paused.code).toBe(0)
    expect(paused.stdout).toMatch(/beat +every 1 s +\S+ +paused/)
    const table = await runCli(home, ['schedule', 'runs', 'beat'])
    expect(table.stdout).toMatch(/^DUE +OUTCOME +JOB +STATE +WHY\n/)
    expect(table.stdout).toMatch(/ submitted +[0-9a-f-]{36} +completed\n/)
    const resumed = await runCli(home, ['schedule', 'resume', 'beat', '--json'])
    expect(scheduleAnswer.parse(jsonOf(resumed))).toMatchObject({ existing: true, schedule: { enabled: true } })
    expect((await runCli(home, ['schedule', 'remove', 'beat'])).stdout).toBe('removed: beat; its jobs stay\n')
  })

  it('lists by name with next and last run; a change keeps the rest', async () => {
    const home = useTemporaryHome()
    expect((await runCli(home, ['schedule', 'list'])).stderr).toBe('no schedules\n')
    const added = await runCli(home, [...nightly, '--', './report.sh'])
    expect(added.code).toBe(0)
    expect(added.stderr).toMatch(/Next: .* 06:00.*\(Europe\/Berlin\), the first in/)
    expect(added.stderr).toContain('missed "once"')
    const changed = await runCli(home, ['schedule', 'add', 'nightly', '--cron', '0 7 * * *'])
    expect(changed.stderr).toContain('changed: a schedule of that name was there')
    const list = await runCli(home, ['schedule', 'ls'])
    expect(list.stdout).toMatch(
      /^NAME +WHEN +ZONE +NEXT +LAST +OUTCOME +JOB\nnightly +0 7 \* \* \* +Europe\/Berlin +\S+ \S+ 07:00 \(in /,
    )
    const { schedules } = listSchedulesAnswer.parse(jsonOf(await runCli(home, ['schedule', 'list', '--json'])))
    expect(schedules).toMatchObject([{ name: 'nightly', missed: 'once', last_run: null }])
    expect((await runCli(home, ['schedule', 'runs', 'nightly'])).stderr).toBe('it has not been due yet\n')
  })

  it('refuses what cannot work, in the words of the command line', async () => {
    const home = useTemporaryHome()
    const refused = async (...given: string[]) => {
      const result = await runCli(home, ['schedule', 'add', 'x', '--json', ...given])
      expect(result.code).toBe(2)
      return errorOf(result).message
    }
    expect(await refused('--cron', '0 0 30 2 *', '--', 'true')).toBe(
      '--cron is "0 0 30 2 *", which never comes up: no calendar has such a date',
    )
    expect(await refused('--cron', '@daily', '--time-zone', 'Berlin', '--', 'true')).toMatch(/^--time-zone is "Berlin"/)
    expect(await refused('--cron', '@daily', '--every', '1h', '--', 'true')).toBe(
      '--cron and --every were given together',
    )
    expect(await refused('--', 'true')).toMatch(/no due times were given/)
    expect(await refused('--cron', '@daily')).toMatch(/job was not given/)
  })

  it('a name that nobody has is not found', async () => {
    const home = useTemporaryHome()
    const removed = await runCli(home, ['schedule', 'remove', 'none', '--json'])
    expect(removed.code).toBe(3)
    expect(removeScheduleAnswer.parse(jsonOf(removed))).toMatchObject({ removed: false })
    expect((await runCli(home, ['schedule', 'runs', 'none'])).code).toBe(3)
    expect((await runCli(home, ['schedule', 'pause', 'none'])).code).toBe(2)
  })
})
