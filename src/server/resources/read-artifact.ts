import {
  ProtocolError,
  ProtocolErrorCode,
  type ReadResourceResult,
  type ServerContext,
} from '@modelcontextprotocol/server'
import { answerCharacters } from '../../config/answer-limit.ts'
import { cutText } from '../../domain/cut-text.ts'
import { harmlessText } from '../../domain/display-text.ts'
import type { ArtifactView } from '../../domain/wire/jobs.ts'
import { quoted } from '../quoted.ts'
import { type ArtifactBytes, readArtifactFile } from './artifact-file.ts'
import { askManager, type LazyHost } from './ask-manager.ts'
import { notFound } from './resource-errors.ts'
import type { JobUri } from './resource-uri.ts'
import { unchanging, untrusted } from './untrusted.ts'

/** Of a file that is no text; base64 makes it a third longer. */
export const mostBlobBytes = 5 * 1024 * 1024

const bytesPerCharacter = 4
const longestPath = 1_000

/**
 * @param attempts the directory of all attempts
 * @returns a file that the job made: text as text, cut to the length of an answer, anything else as it is
 * @throws ResourceNotFoundError when the job made no such file, or when it is gone; QueueError job_not_found;
 * ProtocolError for a file that is too large
 */
export async function readArtifact(
  host: LazyHost,
  uri: string,
  { id, unit, name }: JobUri & { readonly part: 'artifact' },
  { mcpReq: { signal } }: ServerContext,
  attempts: () => string,
): Promise<ReadResourceResult> {
  const one = unit === undefined ? {} : { unit }
  const answer = await askManager(host, 'job_result', { id, artifact: name, max_bytes: 100, ...one }, signal)
  const artifact = answer.artifacts[0]
  if (artifact === undefined)
    throw notFound(uri, `Job ${id} has no file ${quoted(name)}. job_result {"id":"${id}"} lists them.`)
  const most = answerCharacters()
  const bounds = { mostWhole: mostBlobBytes, mostOfLarge: most * bytesPerCharacter }
  const file = await readArtifactFile(artifact.path, attempts(), bounds)
  if (file === null) {
    throw notFound(
      uri,
      `The file ${quoted(name)} of job ${id} is gone: it was removed or replaced. job_result {"id":"${id}"} lists all.`,
    )
  }
  const text = textOf(file)
  const content =
    text === null
      ? { blob: blobOf(artifact, file), mimeType: essence(artifact.media_type, 'application/octet-stream') }
      : { text: boundedText(text, file, artifact, most), mimeType: essence(artifact.media_type, 'text/plain') }
  return { ...(answer.final ? unchanging : {}), contents: [{ uri, ...content, _meta: untrusted }] }
}

/** @returns null for what is no UTF-8 text. */
function textOf({ bytes, size }: ArtifactBytes): string | null {
  // A NUL byte is valid UTF-8 and in no text that people write.
  if (bytes.includes(0)) return null
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: bytes.length < size })
  } catch {
    return null
  }
}

function boundedText(text: string, { size }: ArtifactBytes, artifact: ArtifactView, most: number): string {
  const harmless = harmlessText(text)
  if (harmless.length <= most && size <= mostBlobBytes) return harmless
  const note = `\n[cut by Nightkiln: the beginning of ${size} bytes; the whole file is ${cutText(artifact.path, longestPath)}]`
  return cutText(harmless, Math.max(0, most - note.length)) + note
}

/** @throws ProtocolError for more than a resource may carry: a part of such a file is of no use */
function blobOf({ name, path }: ArtifactView, { bytes, size }: ArtifactBytes): string {
  if (size <= mostBlobBytes) return bytes.toString('base64')
  throw new ProtocolError(
    ProtocolErrorCode.InvalidParams,
    `The file ${quoted(name)} has ${size} bytes and is no text; a resource carries at most ${mostBlobBytes}. The file is ${path}.`,
    { bytes: size, most_bytes: mostBlobBytes, path },
  )
}

/** Without parameters: a job cannot pass its file off as a view of this server. */
function essence(mediaType: string, otherwise: string): string {
  const type = mediaType.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  const isKnown = /^[a-z0-9][a-z0-9.+-]*\/[a-z0-9][a-z0-9.+-]*$/.test(type)
  return isKnown && type !== 'application/octet-stream' ? type : otherwise
}
