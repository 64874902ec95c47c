import { harmlessText } from '../../domain/display-text.ts'
import { causeOffset } from '../../domain/error-extract.ts'
import { QueueError } from '../../domain/errors.ts'
import type { Attempt } from '../../domain/job.ts'
import type { OutputSlice } from '../../domain/ports/executor.ts'
import type { LogsAnswer } from '../../domain/wire/jobs.ts'
import type { OperationCall } from '../../domain/wire/operations.ts'
import { unitAt } from './job-unit.ts'
import type { ServiceContext } from './service-context.ts'

/** With grep, at most this much of the log is searched in one call. */
const grepWindowBytes = 4 * 1024 * 1024

/**
 * What an attempt printed: its end, from the cause of its failure on, its beginning, or a range by logical offset. Always bounded,
 * and harmless to show.
 * @throws QueueError job_not_found, unit_not_found
 */
export async function jobLogs(context: ServiceContext, request: LogsCall): Promise<LogsAnswer> {
  const position = request.unit ?? firstFailed(context, request.id)
  const { job, unit } = unitAt(context, request.id, position)
  const attempt = attemptNumbered(context.store.readAttempts(unit.id), request.attempt, job.id)
  if (attempt === null) return nothingYet(position, job.id)
  const window = request.grep === undefined ? request.max_bytes : grepWindowBytes
  const mode = request.mode ?? usualMode(request, attempt)
  const offset = mode === 'head' ? 0 : mode === 'range' ? (request.offset ?? 0) : -window
  const read = wholeCharacters(await context.executor.readOutput(attempt, { offset, maxBytes: window }))
  const slice = mode === 'errors' ? fromCause(read) : read
  const selected = selectLines(Buffer.from(slice.bytes).toString('utf8'), { ...request, mode })
  const running = attempt.outcome === 'running'
  return {
    id: job.id,
    unit: position,
    attempt: attempt.attempt,
    untrusted_output: harmlessText(selected),
    offset: slice.offset,
    next_offset: slice.nextOffset,
    total_bytes: slice.totalBytes,
    dropped_bytes: slice.droppedBytes,
    truncated: slice.droppedBytes > 0 || slice.offset > 0 || slice.nextOffset < slice.totalBytes,
    running,
    next: nextRead(request, slice, { running, failed: attempt.error !== null }),
  }
}

type LogsCall = OperationCall<'job_logs'>
type Mode = NonNullable<LogsCall['mode']>

/** Whoever asks without more words after a failure wants to know why it failed. */
function usualMode({ offset, grep, max_lines: maxLines }: LogsCall, { error }: Attempt): Mode {
  if (offset !== undefined) return 'range'
  return error !== null && grep === undefined && maxLines === undefined ? 'errors' : 'tail'
}

/** The rest of a slice from the line that looks like the cause; all of it when none does. */
function fromCause(slice: OutputSlice): OutputSlice {
  // One character a byte, so that places in the text are places in the bytes.
  const from = Math.max(0, causeOffset(Buffer.from(slice.bytes).toString('latin1')))
  return { ...slice, bytes: slice.bytes.subarray(from), offset: slice.offset + from }
}

/** In a batch what failed is looked for first. */
function firstFailed({ store }: ServiceContext, jobId: string): number {
  return store.readUnits(jobId, { limit: 1 }, { states: ['failed'] })[0]?.position ?? 0
}

/** Cuts what a byte limit split: a character that began before the slice, and one that ends after it and comes with the next. */
function wholeCharacters(slice: OutputSlice): OutputSlice {
  const { bytes } = slice
  let from = 0
  if (slice.offset > 0) while (from < Math.min(3, bytes.length) && isContinuation(bytes[from])) from += 1
  let to = bytes.length
  if (slice.nextOffset < slice.totalBytes) {
    let lead = to - 1
    while (lead > to - 4 && lead > from && isContinuation(bytes[lead])) lead -= 1
    if (to - lead < characterLength(bytes[lead])) to = lead
  }
  // Bytes that are no UTF-8 at all are shown as they come.
  if (to <= from) return slice
  return {
    ...slice,
    bytes: bytes.subarray(from, to),
    offset: slice.offset + from,
    nextOffset: slice.nextOffset - (bytes.length - to),
  }
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80
}

function characterLength(lead: number | undefined): number {
  if (lead === undefined || lead < 0xc0) return 1
  return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4
}

function attemptNumbered(attempts: readonly Attempt[], number: number | undefined, jobId: string): Attempt | null {
  if (number === undefined) return attempts.at(-1) ?? null
  const found = attempts.find((attempt) => attempt.attempt === number)
  if (found !== undefined) return found
  throw new QueueError('unit_not_found', `job ${jobId} has no attempt ${number}; it has ${attempts.length}`)
}

function nothingYet(unit: number, id: string): LogsAnswer {
  return {
    id,
    unit,
    attempt: 0,
    untrusted_output: '',
    offset: 0,
    next_offset: 0,
    total_bytes: 0,
    dropped_bytes: 0,
    truncated: false,
    running: false,
    next: `Nothing has run yet. job_status {"ids":["${id}"]} says why.`,
  }
}

function selectLines(text: string, request: LogsCall & { readonly mode: Mode }): string {
  const { grep, max_lines: maxLines, mode, max_bytes: maxBytes } = request
  if (grep === undefined && maxLines === undefined) return text
  const endsWithNewline = text.endsWith('\n')
  let lines = (endsWithNewline ? text.slice(0, -1) : text).split('\n')
  if (grep !== undefined) lines = lines.filter((line) => line.includes(grep))
  if (maxLines !== undefined) lines = mode === 'tail' ? lines.slice(-maxLines) : lines.slice(0, maxLines)
  const joined = lines.join('\n')
  if (joined.length <= maxBytes) return joined
  return mode === 'tail' ? joined.slice(-maxBytes) : joined.slice(0, maxBytes)
}

/** The call that reads on, of the same unit and attempt. */
function nextRead(
  { id, unit, attempt, max_bytes: maxBytes }: LogsCall,
  { offset, nextOffset, totalBytes }: OutputSlice,
  { running, failed }: { readonly running: boolean; readonly failed: boolean },
): string {
  const read = (from: number) => `job_logs ${JSON.stringify({ id, unit, attempt, mode: 'range', offset: from })}`
  if (nextOffset < totalBytes) return `The rest: ${read(nextOffset)}.`
  if (offset > 0) return `Earlier output: ${read(Math.max(0, offset - maxBytes))}.`
  if (running) return `It still runs. Newer output: ${read(nextOffset)}.`
  return failed
    ? `That is all of it. rerun_job ${JSON.stringify({ id })} runs the job again.`
    : `That is all of it. job_status ${JSON.stringify({ ids: [id] })} shows how the job is.`
}
