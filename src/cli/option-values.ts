import ms, { type StringValue } from 'ms'
import { QueueError } from '../domain/errors.ts'

/** @returns an error that names the option and its bad value. */
export function badOption(option: string, value: string, expected: string): QueueError {
  return new QueueError('invalid_input', `${option} is "${value}", but must be ${expected}`, {
    remedy: `Give ${option} as ${expected}.`,
  })
}

/** @returns milliseconds; a bare number counts as seconds. */
export function durationOption(option: string, value: string): number {
  const text = value.trim()
  const parsed = /^\d+(\.\d+)?$/.test(text)
    ? Number(text) * 1000
    : /^\d/.test(text)
      ? ms(text as StringValue)
      : undefined
  if (typeof parsed === 'number' && Number.isFinite(parsed) && parsed >= 0) return parsed
  throw badOption(option, value, 'a length such as 30s, 10m or 2h')
}

/** @returns seconds; a bare number counts as seconds. */
export function secondsOption(option: string, value: string): number {
  return durationOption(option, value) / 1000
}

export function integerOption(option: string, value: string, minimum = 0): number {
  const number = /^-?\d{1,15}$/.test(value.trim()) ? Number(value) : Number.NaN
  if (Number.isInteger(number) && number >= minimum) return number
  throw badOption(option, value, `a whole number of at least ${minimum}`)
}

export function numberOption(option: string, value: string): number {
  const number = value.trim() === '' ? Number.NaN : Number(value)
  if (Number.isFinite(number)) return number
  throw badOption(option, value, 'a number')
}

const sizeUnits: Readonly<Record<string, number>> = { '': 1, b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 }

/** @returns bytes; "10mb", "64 KB" or a bare number. */
export function bytesOption(option: string, value: string): number {
  const match = /^(\d{1,15})\s*(b|kb|mb|gb)?$/i.exec(value.trim())
  const factor = sizeUnits[match?.[2]?.toLowerCase() ?? '']
  if (match?.[1] !== undefined && factor !== undefined) return Number(match[1]) * factor
  throw badOption(option, value, 'a size such as 64kb, 10mb or 1gb')
}

/** @returns a wire time. An ISO time is taken as it is, a length counts from now: forward, or back for filters. */
export function timeOption(option: string, value: string, now: number, direction: 'ahead' | 'back'): string {
  if (/^\d{4}-\d\d-\d\d/.test(value)) {
    const time = Date.parse(value)
    if (!Number.isNaN(time)) return new Date(time).toISOString()
    // So many digits are a time counted from 1970, not a length in seconds.
  } else if (/^\d/.test(value) && !/^\d{9,}(\.\d+)?$/.test(value.trim())) {
    const length = durationOption(option, value)
    const time = new Date(direction === 'ahead' ? now + length : now - length)
    if (!Number.isNaN(time.getTime())) return time.toISOString()
  }
  throw badOption(option, value, 'a time such as 2030-01-31T18:00:00Z or a length such as 2h')
}

/** @returns the pairs of a repeated NAME=VALUE option. */
export function pairsOption(option: string, values: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    values.map((value) => {
      const at = value.indexOf('=')
      if (at < 1) throw badOption(option, value, 'NAME=VALUE')
      return [value.slice(0, at), value.slice(at + 1)]
    }),
  )
}

/** @returns the words of a list with commas. */
export function wordsOption(option: string, value: string): string[] {
  const words = value.split(',').map((word) => word.trim())
  if (words.every((word) => word !== '')) return words
  throw badOption(option, value, 'one word, or several with commas')
}

/** @returns the whole numbers of a list with commas. */
export function integersOption(option: string, value: string): number[] {
  return wordsOption(option, value).map((word) => {
    if (/^\d{1,15}$/.test(word)) return Number(word)
    throw badOption(option, value, 'whole numbers with commas, such as 1,75')
  })
}

/** @returns a rate limit of the wire from "10/60s", "10/min" or "10/s". */
export function rateOption(option: string, value: string): { count: number; interval_s: number } {
  const [, count, interval] = /^(\d{1,9})\s*\/\s*(.+)$/.exec(value.trim()) ?? []
  if (count === undefined || interval === undefined || Number(count) < 1)
    throw badOption(option, value, 'a number in a length of time, such as 10/60s')
  return { count: Number(count), interval_s: secondsOption(option, /^\d/.test(interval) ? interval : `1${interval}`) }
}

/** @returns null for "none", which lifts a limit; else what `parse` makes of the text. */
export function orNone<Value>(value: string, parse: (text: string) => Value): Value | null {
  return value.trim().toLowerCase() === 'none' ? null : parse(value)
}

/** @returns the value of JSON, or the text itself when it is none. */
export function jsonOrText(value: string): unknown {
  try {
    return JSON.parse(value)
  } catch {
    return value
  }
}

/** For commander: collects a repeatable option. */
export function repeated(value: string, before: readonly string[] | undefined): string[] {
  return [...(before ?? []), value]
}
