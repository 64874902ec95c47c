import type { LogsAnswer } from '../domain/wire/jobs.ts'
import type { JobView } from '../domain/wire/shared.ts'

/** The end of a job's output, as far as it was read. */
export interface LogTail {
  readonly jobId: string
  readonly unit: number
  /** 0: nothing has run yet. */
  readonly attempt: number
  readonly text: string
  readonly nextOffset: number
  /** Output before the text that is not shown. */
  readonly isCut: boolean
  readonly running: boolean
  /** Nothing will be added any more. */
  readonly isWhole: boolean
  /** Why it could not be read this time. */
  readonly problem: string | null
}

const firstBytes = 8_000
const furtherBytes = 16_000
/** Characters kept in the page. */
const longestText = 60_000

/** @returns the arguments of the job_logs call that brings what is missing; null when nothing is */
export function nextLogCall(tail: LogTail | null, job: JobView): Readonly<Record<string, unknown>> | null {
  const fromTail = { id: job.id, mode: 'tail', max_bytes: firstBytes }
  if (tail === null || tail.jobId !== job.id) return fromTail
  if (tail.isWhole) return null
  const isOlderAttempt = job.attempts !== null && job.attempts > tail.attempt
  // Between two attempts, and in a batch between two units, job_logs itself knows what is worth reading.
  if (tail.attempt === 0 || isOlderAttempt || !tail.running) return fromTail
  const { unit, attempt, nextOffset } = tail
  return { id: job.id, unit, attempt, mode: 'range', offset: nextOffset, max_bytes: furtherBytes }
}

/**
 * @param isFinal whether the job had ended before the call
 * @returns the tail with what the call brought
 */
export function withLog(tail: LogTail | null, answer: LogsAnswer, isFinal: boolean): LogTail {
  const { id, unit, attempt, untrusted_output: output } = answer
  const isSame = tail !== null && tail.jobId === id && tail.unit === unit && tail.attempt === attempt
  const goesOn = isSame && answer.offset === tail.nextOffset
  const text = goesOn ? tail.text + output : output
  const kept = text.length <= longestText ? text : fromLine(text, text.length - longestText)
  const isCut = goesOn ? tail.isCut : answer.offset > 0 || answer.dropped_bytes > 0
  const isAtEnd = answer.next_offset >= answer.total_bytes
  return {
    jobId: id,
    unit,
    attempt,
    text: kept,
    nextOffset: answer.next_offset,
    isCut: isCut || kept.length < text.length,
    running: answer.running || !isAtEnd,
    isWhole: isFinal && !answer.running && isAtEnd,
    problem: null,
  }
}

/** @returns the tail after a call that was refused: what was read stays, the next look tries again. */
export function withoutLog(tail: LogTail | null, jobId: string, problem: string): LogTail {
  const known = tail !== null && tail.jobId === jobId ? tail : nothingRead
  return { ...known, jobId, problem }
}

const nothingRead = { unit: 0, attempt: 0, text: '', nextOffset: 0, isCut: false, running: false, isWhole: false }

/** @returns the text from the first line that begins at or behind a place */
function fromLine(text: string, place: number): string {
  const end = text.indexOf('\n', place)
  return end === -1 ? text.slice(place) : text.slice(end + 1)
}
