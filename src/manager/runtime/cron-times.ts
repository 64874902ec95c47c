import { Cron } from 'croner'
import { QueueError } from '../../domain/errors.ts'
import {
  type DueTimes,
  nextIntervalTime,
  type PassedTimes,
  passedIntervalTimes,
  type ScheduleTiming,
} from '../../domain/schedule-times.ts'
import { shown } from '../../domain/wire/invalid-input.ts'

/*
 * What a change of the clocks means (tests: test/unit/manager/cron-times.test.ts):
 * - Seconds, minutes and hours given as numbers, lists or ranges ("30 2 * * *", "0 9-17 * * 1-5"): a local time that does not
 *   exist in spring runs once, at the first moment after the gap; one that exists twice in autumn runs once, the first time.
 * - With * or a step among them ("0 * * * *", "*\/30 2 * * *"): every real match runs, so an hourly job runs in each of the two
 *   hours in autumn, and what falls into the gap in spring does not exist.
 */

const nicknames = ['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly']
const validForms = `Give five fields (minute hour day month weekday) such as "0 6 * * 1-5", six with seconds first, or one of ${nicknames.join(', ')}.`
/** More would only be forgotten schedules; the oldest leaves. */
const keptPatterns = 500

const patterns = new Map<string, Cron>()

function patternOf(cron: string, timeZone: string): Cron {
  const key = `${timeZone} ${cron}`
  const known = patterns.get(key)
  if (known !== undefined) return known
  const made = new Cron(cron, {
    timezone: timeZone,
    paused: true,
    mode: '5-or-6-parts',
    fixedTimeRule: 'no-wildcard',
  })
  if (patterns.size >= keptPatterns) patterns.delete(patterns.keys().next().value ?? '')
  patterns.set(key, made)
  return made
}

/** @throws QueueError invalid_input for what is no IANA time zone known here */
export function checkTimeZone(timeZone: string): void {
  try {
    // An offset such as +02:00 knows no summer time; only newer versions of Node.js take it.
    if (/^[A-Za-z]/.test(timeZone)) {
      new Intl.DateTimeFormat('en', { timeZone })
      return
    }
  } catch {
    // Told below, in the same words.
  }
  throw new QueueError('invalid_input', `time_zone is ${shown(timeZone)}, which is no time zone known here`, {
    remedy: 'Give an IANA name such as "Europe/Berlin", "America/New_York" or "UTC".',
  })
}

/**
 * @param after wall ms: it must come up at least once after that
 * @throws QueueError invalid_input naming what is wrong with the expression and what is valid
 */
export function checkCron(cron: string, timeZone: string, after: number): void {
  const text = cron.trim()
  const isPattern = text.startsWith('@')
    ? nicknames.includes(text.toLowerCase())
    : [5, 6].includes(text.split(/\s+/).length)
  if (!isPattern) throw invalidCron(cron, 'is no cron expression')
  let next: Date | null
  try {
    next = patternOf(cron, timeZone).nextRun(new Date(after))
  } catch (error) {
    throw invalidCron(cron, `is no cron expression: ${reasonOf(error)}`)
  }
  if (next === null) throw invalidCron(cron, 'never comes up: no calendar has such a date')
}

/** A time of day is plainly meant every day. */
function dailyForm(cron: string): string {
  const [, hour, minute] = /^\s*(?:at\s+)?([01]?\d|2[0-3]):([0-5]\d)\s*$/i.exec(cron) ?? []
  return hour === undefined ? '' : `For every day at that time give "${Number(minute)} ${Number(hour)} * * *". `
}

function invalidCron(cron: string, why: string): QueueError {
  return new QueueError('invalid_input', `cron is ${shown(cron)}, which ${why}`, {
    remedy: `${dailyForm(cron)}${validForms}`,
  })
}

function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  const text = message.replace(/^CronPattern: /, '').replace(/\.$/, '')
  return text.charAt(0).toLowerCase() + text.slice(1)
}

function passedCronTimes(cron: Cron, first: number, until: number, limit: number): PassedTimes {
  const times: number[] = []
  for (let time: number | undefined = first; time !== undefined && time <= until; ) {
    times.push(time)
    if (times.length > limit) return newestCronTimes(cron, first, until, limit)
    time = cron.nextRun(new Date(time))?.getTime()
  }
  return { times, omitted: null }
}

/** After a long absence: from now back, so that a year of minutes is not walked through. */
function newestCronTimes(cron: Cron, first: number, until: number, limit: number): PassedTimes {
  // The reference itself is not included, a run earlier in the same second is.
  const found = cron.previousRuns(limit + 1, new Date(until + 1)).map((date) => date.getTime())
  const ascending = found.filter((time) => time >= first).reverse()
  const last = ascending.shift()
  return { times: ascending, omitted: last === undefined ? null : { first, last, count: null } }
}

/** Due times of cron expressions (croner) and of intervals. */
export const dueTimes: DueTimes = {
  next(timing: ScheduleTiming, after: number): number | null {
    if (timing.everyMs !== null) return nextIntervalTime(timing.anchorAt, timing.everyMs, after)
    if (timing.cron === null) return null
    return patternOf(timing.cron, timing.timeZone).nextRun(new Date(after))?.getTime() ?? null
  },
  passed(timing: ScheduleTiming, first: number, until: number, limit: number): PassedTimes {
    if (timing.everyMs !== null) return passedIntervalTimes(timing.everyMs, first, until, limit)
    if (timing.cron === null) return { times: [], omitted: null }
    return passedCronTimes(patternOf(timing.cron, timing.timeZone), first, until, limit)
  },
}
