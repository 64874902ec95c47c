/** What one line of output says of the progress. */
export interface ProgressReading {
  readonly current: number
  /** Null when unknown. */
  readonly total: number | null
  /** Null: the line says none. */
  readonly message: string | null
}

/** Recognises one notation. A parser may remember earlier lines of the same command; it never throws. */
export interface ProgressParser {
  readonly name: string
  /** True for the notations made for this purpose: they may go back, and they silence the guessed ones. */
  readonly explicit: boolean
  parse(line: string): ProgressReading | null
}

/** @returns the reading of a value and its end; null when they make no sense. */
export function reading(current: number, total: number | null, message?: string | null): ProgressReading | null {
  if (!Number.isFinite(current) || current < 0) return null
  if (total !== null && (!Number.isFinite(total) || total <= 0)) return null
  const text = message?.trim() ?? ''
  return { current: total === null ? current : Math.min(current, total), total, message: text === '' ? null : text }
}
