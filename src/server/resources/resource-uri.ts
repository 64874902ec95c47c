import { jobId } from '../../domain/wire/shared.ts'
import { quoted } from '../quoted.ts'
import { notFound } from './resource-errors.ts'

export const jobTemplate = 'job://{id}'
export const logTemplate = 'job://{id}/log'
export const resultTemplate = 'job://{id}/result'
export const artifactTemplate = 'job://{id}/artifacts/{name}'

/** What a URI of a job names. */
export type JobUri = {
  readonly id: string
  /** Position, from 0; undefined: as job_logs and job_result choose. */
  readonly unit: number | undefined
} & (
  | { readonly part: 'job' | 'log' | 'result' }
  /** As a person reads it: no longer percent-encoded. */
  | { readonly part: 'artifact'; readonly name: string }
)

const exampleId = '01890a5d-ac96-774b-bcce-b302099a8057'
const longestName = 255
const known = `Known are ${jobTemplate}, ${logTemplate}, ${resultTemplate} and ${artifactTemplate}.`

/** @returns the scheme of a URI in lower case; empty when it has none. */
export function schemeOf(uri: string): string {
  return /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(uri)?.[1]?.toLowerCase() ?? ''
}

/**
 * Takes a `job://` URI apart. `?unit=3` names one unit of a job with several.
 * @throws ResourceNotFoundError for one that cannot name anything, with what it should look like
 */
export function parseJobUri(uri: string): JobUri {
  const [, given = '', path = '', query] = /^job:\/\/([^/?#]*)([^?#]*)(?:\?([^#]*))?(?:#.*)?$/is.exec(uri) ?? []
  const id = given.toLowerCase()
  if (!jobId.safeParse(id).success) {
    throw notFound(
      uri,
      `${quoted(given)} is not a job id, which looks like ${exampleId}. Call whats_new or list_jobs to find the id, or list the resources.`,
    )
  }
  const about = { id, unit: unitOf(uri, query) }
  const trimmed = path.replace(/^\/+|\/+$/g, '')
  if (trimmed === '') return { ...about, part: 'job' }
  if (trimmed === 'log' || trimmed === 'result') return { ...about, part: trimmed }
  const encoded = /^artifacts\/(.+)$/s.exec(trimmed)?.[1]
  const name = encoded === undefined ? null : decoded(encoded)
  if (name === null || name.length > longestName) {
    throw notFound(uri, `${quoted(path)} is no part of a job. ${known}`)
  }
  return { ...about, part: 'artifact', name }
}

/** @param unit given where several units may have files of that name */
export function artifactUri(id: string, name: string, unit?: number): string {
  return `job://${id}/artifacts/${encodeURIComponent(name)}${unit === undefined ? '' : `?unit=${unit}`}`
}

function unitOf(uri: string, query: string | undefined): number | undefined {
  if (query === undefined || query === '') return undefined
  const digits = /^unit=(\d{1,9})$/.exec(query)?.[1]
  if (digits === undefined)
    throw notFound(uri, `${quoted(`?${query}`)} is not known; ?unit=0 names a unit by its position.`)
  return Number(digits)
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text)
  } catch {
    return null
  }
}
