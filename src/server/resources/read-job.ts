import type { ReadResourceResult, ServerContext } from '@modelcontextprotocol/server'
import type { JobView } from '../../domain/wire/shared.ts'
import { askManager, type LazyHost } from './ask-manager.ts'
import { boundedJson } from './bounded-json.ts'
import { notFound } from './resource-errors.ts'
import type { JobUri } from './resource-uri.ts'
import { untrusted } from './untrusted.ts'

/**
 * @returns the job in full detail, as job_status answers it
 * @throws ResourceNotFoundError when no job has the id
 */
export async function readJob(
  host: LazyHost,
  uri: string,
  { id }: JobUri,
  context: ServerContext,
): Promise<ReadResourceResult> {
  const { job, next } = await jobWithId(host, uri, id, context.mcpReq.signal)
  const parts = { log: `job://${id}/log`, result: `job://${id}/result` }
  const text = boundedJson(
    { job, parts, next },
    [(all) => ({ ...all, job: withFewAttempts(all.job) })],
    `Long parts were cut: job_status {"ids":["${id}"],"detail":"full"}, job_result {"id":"${id}"} and job_logs {"id":"${id}"} show more.`,
  )
  return { contents: [{ uri, mimeType: 'application/json', text, _meta: untrusted }] }
}

/**
 * @returns a job and what to do next
 * @throws ResourceNotFoundError when no job has the id
 */
export async function jobWithId(
  host: LazyHost,
  uri: string,
  id: string,
  signal: AbortSignal,
): Promise<{ readonly job: JobView; readonly next: string }> {
  const { jobs, next } = await askManager(host, 'job_status', { ids: [id], detail: 'full' }, signal)
  const job = jobs[0]
  if (job !== undefined) return { job, next }
  throw notFound(
    uri,
    `No job has the id ${id}; it may have been deleted. Call list_jobs or whats_new to find the id, or list the resources.`,
  )
}

function withFewAttempts(job: JobView): JobView {
  return job.attempt_history === undefined ? job : { ...job, attempt_history: job.attempt_history.slice(-5) }
}
