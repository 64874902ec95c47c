import { describe, expect, test } from 'vitest'
import { QueueError } from '../../../src/domain/errors.ts'
import type { ScheduleTiming } from '../../../src/domain/schedule-times.ts'
import { checkCron, checkTimeZone, dueTimes } from '../../../src/manager/runtime/cron-times.ts'

function cron(expression: string, timeZone: string): ScheduleTiming {
  return { cron: expression, everyMs: null, anchorAt: 0, timeZone }
}

function every(everyMs: number, anchorAt: number): ScheduleTiming {
  return { cron: null, everyMs, anchorAt, timeZone: 'UTC' }
}

/** The first due times after a moment, as ISO times to the minute. */
function dueAfter(timing: ScheduleTiming, after: string, count: number): string[] {
  const found: string[] = []
  let time = Date.parse(after)
  for (let index = 0; index < count; index += 1) {
    const next = dueTimes.next(timing, time)
    if (next === null) break
    found.push(new Date(next).toISOString().replace(/:00\.000Z$/, 'Z'))
    time = next
  }
  return found
}

function messageOf(work: () => void): string {
  try {
    work()
  } catch (error) {
    if (error instanceof QueueError && error.code === 'invalid_input') return `${error.message} | ${error.remedy}`
    throw error
  }
  return 'accepted'
}

describe('a time of day that does not exist in spring runs once, right after the gap', () => {
  test.each([
    // Berlin goes from 02:00 +01 to 03:00 +02 at 01:00 UTC.
    ['30 2 * * *', 'Europe/Berlin', '2030-03-30T02:00Z', ['2030-03-31T01:00Z', '2030-04-01T00:30Z']],
    ['30 2,14 * * *', 'Europe/Berlin', '2030-03-30T20:00Z', ['2030-03-31T01:00Z', '2030-03-31T12:30Z']],
    // New York goes from 02:00 -05 to 03:00 -04 at 07:00 UTC.
    ['15 2 * * *', 'America/New_York', '2030-03-09T12:00Z', ['2030-03-10T07:00Z', '2030-03-11T06:15Z']],
    // Lord Howe goes from 02:00 +10:30 to 02:30 +11 at 15:30 UTC of the day before.
    ['15 2 * * *', 'Australia/Lord_Howe', '2030-10-05T00:00Z', ['2030-10-05T15:30Z', '2030-10-06T15:15Z']],
  ])('%s in %s', (expression, zone, after, due) => {
    expect(dueAfter(cron(expression, zone), after, due.length)).toEqual(due)
  })
})

describe('a time of day that exists twice in autumn runs once, the first time', () => {
  test.each([
    ['30 2 * * *', 'Europe/Berlin', '2030-10-26T12:00Z', ['2030-10-27T00:30Z', '2030-10-28T01:30Z']],
    ['30 1 * * *', 'America/New_York', '2030-11-02T12:00Z', ['2030-11-03T05:30Z', '2030-11-04T06:30Z']],
    ['45 1 * * *', 'Australia/Lord_Howe', '2030-04-06T00:00Z', ['2030-04-06T14:45Z', '2030-04-07T15:15Z']],
  ])('%s in %s', (expression, zone, after, due) => {
    expect(dueAfter(cron(expression, zone), after, due.length)).toEqual(due)
  })
})

describe('an hourly pattern runs every real hour', () => {
  test.each([
    ['Europe/Berlin', '2030-03-31T00:00Z', ['2030-03-31T01:00Z', '2030-03-31T02:00Z', '2030-03-31T03:00Z']],
    ['Europe/Berlin', '2030-10-26T23:30Z', ['2030-10-27T00:00Z', '2030-10-27T01:00Z', '2030-10-27T02:00Z']],
    ['America/New_York', '2030-03-10T06:00Z', ['2030-03-10T07:00Z', '2030-03-10T08:00Z']],
    ['America/New_York', '2030-11-03T04:30Z', ['2030-11-03T05:00Z', '2030-11-03T06:00Z', '2030-11-03T07:00Z']],
  ])('in %s after %s', (zone, after, due) => {
    expect(dueAfter(cron('0 * * * *', zone), after, due.length)).toEqual(due)
  })

  test('with a step, what falls into the gap does not exist', () => {
    expect(dueAfter(cron('*/30 2 * * *', 'Europe/Berlin'), '2030-03-30T12:00Z', 1)).toEqual(['2030-04-01T00:00Z'])
  })
})

describe('intervals', () => {
  test('are multiples from the anchor, whatever the moment', () => {
    const timing = every(90_000, 1_000)
    expect([-5, 0, 999, 1_000, 90_999, 91_000, 91_001].map((after) => dueTimes.next(timing, after))).toEqual([
      1_000, 1_000, 1_000, 91_000, 91_000, 181_000, 181_000,
    ])
  })

  test('that passed are counted, of many the newest are named', () => {
    const timing = every(1_000, 0)
    expect(dueTimes.passed(timing, 5_000, 8_999, 10)).toEqual({ times: [5_000, 6_000, 7_000, 8_000], omitted: null })
    expect(dueTimes.passed(timing, 5_000, 3_600_000, 3)).toEqual({
      times: [3_598_000, 3_599_000, 3_600_000],
      omitted: { first: 5_000, last: 3_597_000, count: 3_593 },
    })
    expect(dueTimes.passed(timing, 5_000, 4_999, 3)).toEqual({ times: [], omitted: null })
  })
})

describe('due times of a cron expression that passed', () => {
  test('the last one may be at this very moment', () => {
    const first = Date.parse('2030-01-01T10:00Z')
    expect(dueTimes.passed(cron('0 * * * *', 'UTC'), first, first + 2 * 3_600_000, 10).times).toEqual([
      first,
      first + 3_600_000,
      first + 7_200_000,
    ])
  })

  test.each([
    ['*/7 * * * *', 'Europe/Berlin', '2030-03-30T12:00Z', '2030-03-31T12:00Z'],
    ['*/7 * * * *', 'Europe/Berlin', '2030-10-26T12:00Z', '2030-10-27T12:00Z'],
    ['10,40 0-5 * * *', 'America/New_York', '2030-03-01T00:00Z', '2030-03-20T03:00Z'],
    ['10,40 0-5 * * *', 'America/New_York', '2030-10-25T00:00Z', '2030-11-12T03:00Z'],
    ['15,45 1-2 * * *', 'Australia/Lord_Howe', '2030-03-01T00:00Z', '2030-10-20T03:00Z'],
  ])('the newest ones, found backwards, are those found forwards: %s in %s', (expression, zone, from, until) => {
    const timing = cron(expression, zone)
    const first = dueTimes.next(timing, Date.parse(from)) ?? 0
    const all = dueTimes.passed(timing, first, Date.parse(until), 100_000)
    expect(all.omitted).toBeNull()
    const newest = dueTimes.passed(timing, first, Date.parse(until), 50)
    expect(newest.times).toEqual(all.times.slice(-50))
    expect(newest.omitted).toEqual({ first, last: all.times.at(-51), count: null })
  })

  test('years of seconds are not walked through', () => {
    const started = performance.now()
    const first = Date.parse('2030-01-01T00:00Z')
    const { times } = dueTimes.passed(cron('* * * * * *', 'Europe/Berlin'), first, first + 5 * 366 * 86_400_000, 300)
    expect(times).toHaveLength(300)
    expect(performance.now() - started).toBeLessThan(2_000)
  })
})

describe('what cannot work is refused with its value and what is valid', () => {
  const at = Date.parse('2030-01-01T00:00Z')

  test.each([
    ['0 0 30 2 *', /never comes up/],
    ['0 0 31 4,6,9,11 *', /never comes up/],
    ['daily', /is no cron expression/],
    ['* * * *', /is no cron expression/],
    ['* * * * * * *', /is no cron expression/],
    ['61 * * * *', /is no cron expression: invalid value for minute: 61/],
    ['0 25 * * *', /hour: 25/],
    ['H 0 * * *', /illegal/],
    ['@reboot', /is no cron expression/],
    ['2030-01-01T00:00:00Z', /is no cron expression/],
    ['', /is no cron expression/],
  ])('cron %j', (expression, why) => {
    const message = messageOf(() => checkCron(expression, 'UTC', at))
    expect(message).toMatch(why)
    expect(message).toContain(`cron is ${JSON.stringify(expression)}`)
    expect(message).toContain('five fields (minute hour day month weekday)')
  })

  test.each([
    '0 6 * * *',
    '*/5 * * * * *',
    '@daily',
    '@HOURLY',
    '0 0 29 2 *',
    '0 0 L * *',
    '0 9 * * MON-FRI',
    ' 0  6 * * * ',
  ])('cron %j is accepted', (expression) => {
    expect(messageOf(() => checkCron(expression, 'Europe/Berlin', at))).toBe('accepted')
  })

  test.each(['Mars/Olympus', '', '+02:00', 'Berlin'])('time zone %j', (zone) => {
    expect(messageOf(() => checkTimeZone(zone))).toBe(
      `time_zone is ${JSON.stringify(zone)}, which is no time zone known here | Give an IANA name such as "Europe/Berlin", "America/New_York" or "UTC".`,
    )
  })

  test.each(['Europe/Berlin', 'UTC', 'Australia/Lord_Howe', 'Etc/GMT+5'])('time zone %s is accepted', (zone) => {
    expect(messageOf(() => checkTimeZone(zone))).toBe('accepted')
  })
})
