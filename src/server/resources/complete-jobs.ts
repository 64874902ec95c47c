import type { OperationRequest } from '../../domain/wire/operations.ts'
import type { JobLine } from '../../domain/wire/shared.ts'
import { askManager, type LazyHost } from './ask-manager.ts'

/** The protocol allows no more. */
const mostValues = 100
/** A person is typing. */
const longestMs = 5_000
const longestSearch = 200

/**
 * @param begun the beginning of an id, or a part of a job's name
 * @param filter which jobs are meant
 * @returns at most 100 ids, newest job first; none when the manager cannot be reached
 */
export async function jobIdsLike(
  host: LazyHost,
  begun: string,
  filter: OperationRequest<'list_jobs'> = {},
): Promise<readonly string[]> {
  const sought = begun.trim().toLowerCase()
  const isMeant = ({ id, name }: JobLine) => id.startsWith(sought) || name.toLowerCase().includes(sought)
  try {
    const newest = await askManager(host, 'list_jobs', { ...filter, limit: mostValues }, AbortSignal.timeout(longestMs))
    const found = newest.jobs.filter(isMeant)
    if (newest.has_more && sought !== '' && found.length < mostValues) {
      found.push(...(await olderJobs(host, begun.trim(), filter)).filter(isMeant))
    }
    found.sort((one, other) => other.created_at.localeCompare(one.created_at))
    return [...new Set(found.map(({ id }) => id))].slice(0, mostValues)
  } catch {
    return []
  }
}

/**
 * @param jobId whose files are meant; without it there is nothing to choose from
 * @returns at most 100 names of files that hold what was typed
 */
export async function artifactNamesLike(
  host: LazyHost,
  jobId: string | undefined,
  begun: string,
): Promise<readonly string[]> {
  if (jobId === undefined) return []
  const sought = begun.toLowerCase()
  try {
    const request = { id: jobId, max_bytes: 100 }
    const { artifacts } = await askManager(host, 'job_result', request, AbortSignal.timeout(longestMs))
    const names = artifacts.map(({ name }) => name).filter((name) => name.toLowerCase().includes(sought))
    return [...new Set(names)].slice(0, mostValues)
  } catch {
    return []
  }
}

/** Those that the search finds by whole words, beyond the newest. */
async function olderJobs(
  host: LazyHost,
  text: string,
  filter: OperationRequest<'list_jobs'>,
): Promise<readonly JobLine[]> {
  const request = { ...filter, text: text.slice(0, longestSearch), limit: mostValues }
  return (await askManager(host, 'list_jobs', request, AbortSignal.timeout(longestMs))).jobs
}
