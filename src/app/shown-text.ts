import { formatDuration } from '../domain/format-duration.ts'
import type { JobLine, JobView } from '../domain/wire/shared.ts'

/** Language and time zone of the person, as the host tells; undefined: those of the browser. */
export interface Locale {
  readonly locale?: string | undefined
  readonly timeZone?: string | undefined
}

const longestResult = 4_000

/** @param seconds null: not known */
export function durationText(seconds: number | null): string {
  return seconds === null ? '' : formatDuration(seconds * 1000)
}

/** @returns "about 3 m left"; '' when nobody knows */
export function etaText(eta: JobView['eta'] | undefined): string {
  return eta === null || eta === undefined || eta.seconds === null ? '' : `about ${durationText(eta.seconds)} left`
}

/** @returns "about 3 m left (2 m to 5 m)"; why nobody knows yet, where that is told */
export function etaRangeText(eta: JobView['eta'] | undefined): string {
  if (eta === null || eta === undefined) return ''
  if (eta.seconds === null) return eta.reason ?? ''
  if (eta.low_seconds === null || eta.high_seconds === null) return etaText(eta)
  const low = durationText(eta.low_seconds)
  const high = durationText(eta.high_seconds)
  return low === high ? etaText(eta) : `${etaText(eta)} (${low} to ${high})`
}

/** @returns "41 of 100 units, 2 failed"; '' for a job of one unit */
export function unitsText({ counts, progress, units_waiting: waiting = 0 }: UnitFacts): string {
  if (counts === undefined || counts.total + waiting <= 1) return ''
  // A row of a list does not tell how many units wait to be added, but the progress of a batch counts them.
  const total = Math.max(counts.total + waiting, progress?.total ?? 0)
  const failed = counts.failed === 0 ? '' : `, ${counts.failed} failed`
  return `${counts.completed + counts.failed + counts.cancelled} of ${total} units${failed}`
}

type UnitFacts = Pick<JobLine, 'counts' | 'progress'> & Pick<Partial<JobView>, 'units_waiting'>

/** @returns a whole percent, never 100 before the end; null: not known */
export function percentOf(job: Pick<JobLine, 'progress'>): number | null {
  const percent = job.progress?.percent ?? null
  return percent === null ? null : Math.floor(Math.min(100, Math.max(0, percent)))
}

/** @returns a wire time as the person writes times; the text itself where it is none */
export function timeText(time: string | null, { locale, timeZone }: Locale): string {
  if (time === null) return ''
  const date = new Date(time)
  if (Number.isNaN(date.getTime())) return time
  const styles = { dateStyle: 'medium', timeStyle: 'medium' } as const
  try {
    return new Intl.DateTimeFormat(locale, { ...styles, ...(timeZone === undefined ? {} : { timeZone }) }).format(date)
  } catch {
    // The host named a language or a zone that this browser does not know.
    return new Intl.DateTimeFormat(undefined, styles).format(date)
  }
}

/** @returns the beginning of a result, and whether something is missing */
export function resultText(result: unknown): { readonly text: string; readonly isCut: boolean } {
  const text = typeof result === 'string' ? result : (JSON.stringify(result, null, 2) ?? '')
  return text.length <= longestResult ? { text, isCut: false } : { text: text.slice(0, longestResult), isCut: true }
}

/** @returns what is left after a test phase: "96 units wait, about 12 m, cost about 3.2" */
export function restText(review: NonNullable<JobView['review']>): string {
  const waiting = `${review.units_waiting} unit${review.units_waiting === 1 ? '' : 's'} still to run`
  const time = review.rest_seconds === null ? '' : `, about ${durationText(review.rest_seconds)}`
  const cost = review.rest_cost === null ? '' : `, cost about ${numberText(review.rest_cost)}`
  return `${waiting}${time}${cost}`
}

/** @returns what the test phase gave: "3 of 4 test units completed, 1 failed, cost 0.12" */
export function testedText(review: NonNullable<JobView['review']>): string {
  const failed = review.failed === 0 ? '' : `, ${review.failed} failed`
  const each = review.unit_seconds === null ? '' : `, ${durationText(review.unit_seconds)} each`
  const cost = review.cost === null ? '' : `, cost ${numberText(review.cost)}`
  return `${review.completed} of ${review.units_run} test unit${review.units_run === 1 ? '' : 's'} completed${failed}${each}${cost}`
}

function numberText(value: number): string {
  return String(Number(value.toPrecision(4)))
}
