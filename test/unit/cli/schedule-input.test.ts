import { describe, expect, test } from 'vitest'
import { type ScheduleOptions, scheduleInputOf } from '../../../src/cli/schedule-input.ts'
import { QueueError } from '../../../src/domain/errors.ts'

const world = { cwd: '/home/ada', now: Date.UTC(2030, 0, 1) }

function input(options: ScheduleOptions, argv: readonly string[] = []) {
  return scheduleInputOf('nightly', options, argv, world)
}

function refusal(options: ScheduleOptions, argv: readonly string[] = [], name = 'nightly'): string {
  try {
    scheduleInputOf(name, options, argv, world)
  } catch (error) {
    if (error instanceof QueueError && error.code === 'invalid_input') return `${error.message} | ${error.remedy}`
    throw error
  }
  return 'accepted'
}

describe('schedule add', () => {
  test('a program at times of the day', () => {
    expect(
      input({ cron: '0 6 * * *', timeZone: 'Europe/Berlin', missed: 'once', timeout: '2h' }, ['./report.sh', '-v']),
    ).toEqual({
      name: 'nightly',
      cron: '0 6 * * *',
      time_zone: 'Europe/Berlin',
      missed: 'once',
      job: { type: 'command', params: { argv: ['./report.sh', '-v'], cwd: '/home/ada' }, timeout_s: 7200 },
    })
  })

  test('a script in an interval', () => {
    expect(input({ every: '15m', startAt: '1h', overlap: 'queue', paused: true, shell: 'make && make test' })).toEqual({
      name: 'nightly',
      every_s: 900,
      start_at: '2030-01-01T01:00:00.000Z',
      overlap: 'queue',
      enabled: false,
      job: { type: 'command', params: { shell: true, script: 'make && make test', cwd: '/home/ada' } },
    })
  })

  test('without a program the job stays as it was', () => {
    expect(input({ cron: '0 7 * * *' })).toEqual({ name: 'nightly', cron: '0 7 * * *' })
  })

  test('refusals name the option', () => {
    expect(refusal({ cron: '@daily', timeout: '2h' })).toMatch(/options of the job were given, but no program/)
    expect(refusal({ runAt: '2h' }, ['true'])).toMatch(/--run-at was given for a schedule .*--cron/)
    expect(refusal({ cron: '@daily', every: '1h' }, ['true'])).toMatch(/^--cron and --every were given together/)
    expect(refusal({ every: 'often' }, ['true'])).toMatch(/--every is "often"/)
    expect(refusal({ every: '0.5' }, ['true'])).toMatch(/^--every is 0.5, but must be at least 1/)
    expect(refusal({ cron: '@daily', missed: 'never' }, ['true'])).toMatch(
      /^--missed is "never"; valid: skip, once, all/,
    )
    expect(refusal({ cron: '@daily' }, ['true'], './a')).toMatch(/the schedule is "\.\/a"/)
    expect(refusal({ every: '1m', shell: 'x' }, ['true'])).toMatch(/--shell and a program/)
  })
})
