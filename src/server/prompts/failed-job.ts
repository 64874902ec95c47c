import { cutText } from '../../domain/cut-text.ts'
import { errorExtract } from '../../domain/error-extract.ts'
import type { JobView } from '../../domain/wire/shared.ts'
import type { ListUnitsAnswer } from '../../domain/wire/units.ts'
import { askManager, type LazyHost } from '../resources/ask-manager.ts'

/** What is worth knowing of a job that failed. */
export interface FailedJob {
  readonly id: string
  /** False: it ended well, or has not ended. */
  readonly failed: boolean
  /** It has several units. */
  readonly isBatch: boolean
  /** One line each, of JSON where programs wrote it. */
  readonly facts: readonly string[]
  /** The part of the output that begins with the error; empty when it printed nothing. */
  readonly output: string
}

const searchedBytes = 50_000
const longestOutput = 3_000
const longestText = 500
const shownGroups = 5

/** @returns null when no job has the id */
export async function failedJob(host: LazyHost, id: string, signal: AbortSignal): Promise<FailedJob | null> {
  const job = (await askManager(host, 'job_status', { ids: [id] }, signal)).jobs[0]
  if (job === undefined) return null
  const isBatch = (job.counts?.total ?? 1) > 1
  const [output, units] = await Promise.all([
    outputOf(host, job, signal),
    isBatch ? askManager(host, 'list_units', { id, states: ['failed'], limit: 1 }, signal) : null,
  ])
  const failed = job.final && (job.stored_state === 'failed' || job.state === 'completed_with_failures')
  return { id, failed, isBatch, facts: factsOf(job, units), output }
}

/** What the error carries is short; the log has more around it. */
async function outputOf(host: LazyHost, job: JobView, signal: AbortSignal): Promise<string> {
  const kept = job.error?.untrusted_output_tail ?? ''
  try {
    const logs = await askManager(host, 'job_logs', { id: job.id, max_bytes: searchedBytes }, signal)
    return errorExtract(logs.untrusted_output === '' ? kept : logs.untrusted_output, longestOutput)
  } catch (error) {
    if (signal.aborted) throw error
    return kept
  }
}

function factsOf(job: JobView, units: ListUnitsAnswer | null): string[] {
  const { name, type, state, attempts, created_at, finished_at, duration_s } = job
  const error = job.error
  return [
    JSON.stringify({ name, type, state, attempts, created_at, finished_at, duration_s }),
    `why: ${cutText(job.why, longestText)}`,
    ...(error === null
      ? []
      : [`error: ${error.code}: ${cutText(error.message, longestText)}. ${cutText(error.remedy, longestText)}`]),
    ...(job.counts === undefined ? [] : [`units: ${JSON.stringify(job.counts)}`]),
    ...(units?.failure_groups ?? [])
      .slice(0, shownGroups)
      .map(
        ({ signature, count, units: positions }) =>
          `failed alike: ${JSON.stringify({ count, units: positions.slice(0, shownGroups), signature: cutText(signature, longestText) })}`,
      ),
  ]
}
