import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { copyFile, mkdir, rename, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { artifactNameProblem, mediaTypeOf, mediaTypeProblem } from '../artifact-name.ts'
import type { Artifact, HandlerContext } from '../context.ts'

type ArtifactData = Parameters<HandlerContext['artifact']>[1]

/** @throws TypeError for a bad name or media type */
export async function storeArtifact(
  directory: string,
  name: string,
  data: ArtifactData,
  mediaType?: string,
): Promise<Artifact> {
  const problem = artifactNameProblem(name) ?? (mediaType === undefined ? null : mediaTypeProblem(mediaType))
  if (problem !== null) throw new TypeError(problem)
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const path = join(directory, name)
  if (typeof data === 'object' && 'file' in data) await move(data.file, path)
  else await pipeline(Readable.from(pieces(data)), createWriteStream(path))
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  const { size } = await stat(path)
  return { name, mediaType: mediaType ?? mediaTypeOf(name), bytes: size, sha256: hash.digest('hex'), path }
}

function pieces(data: Exclude<ArtifactData, { readonly file: string }>) {
  return typeof data === 'string' || data instanceof Uint8Array ? [Buffer.from(data)] : data
}

async function move(from: string, to: string): Promise<void> {
  try {
    await rename(from, to)
  } catch (error) {
    // On another disk.
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error
    await copyFile(from, to)
    await unlink(from)
  }
}
