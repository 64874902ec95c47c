import type { Schedule } from './ports/schedule-store.ts'

/** What due times are computed from. */
export type ScheduleTiming = Pick<Schedule, 'cron' | 'everyMs' | 'anchorAt' | 'timeZone'>

/** Due times that passed, ascending; of very many only the newest, with what stands for the others. */
export interface PassedTimes {
  readonly times: readonly number[]
  /** Left out, older than `times`; null: nothing. `count` is null when they were not counted. */
  readonly omitted: { readonly first: number; readonly last: number; readonly count: number | null } | null
}

/** Computes due times; all are wall ms. */
export interface DueTimes {
  /** The first due time after `after`; null when there is none. */
  next(timing: ScheduleTiming, after: number): number | null
  /** Due times from `first`, which is one, up to and including `until`; at most the newest `limit`. */
  passed(timing: ScheduleTiming, first: number, until: number, limit: number): PassedTimes
}

/** @returns the first due time of an interval after `after`: anchor + n × interval, so that nothing drifts */
export function nextIntervalTime(anchorAt: number, everyMs: number, after: number): number {
  if (after < anchorAt) return anchorAt
  return anchorAt + (Math.floor((after - anchorAt) / everyMs) + 1) * everyMs
}

/** Due times of an interval, as DueTimes.passed answers them. */
export function passedIntervalTimes(everyMs: number, first: number, until: number, limit: number): PassedTimes {
  if (first > until) return { times: [], omitted: null }
  const count = Math.floor((until - first) / everyMs) + 1
  const kept = Math.min(count, limit)
  const times = Array.from({ length: kept }, (_, index) => first + (count - kept + index) * everyMs)
  const omitted = count === kept ? null : { first, last: first + (count - kept - 1) * everyMs, count: count - kept }
  return { times, omitted }
}
