import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { copyFile, lstat, mkdir, open, rename, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { ArtifactFacts } from '../../../domain/ports/attempt.ts'
import { artifactNameProblem, isReservedName, mediaTypeOf, mediaTypeProblem } from '../../../handler/artifact-name.ts'
import type { Artifact, HandlerContext } from '../../../handler/context.ts'
import { attemptNames } from '../attempt-names.ts'

type ArtifactData = Parameters<HandlerContext['artifact']>[1]

interface Written {
  readonly bytes: number
  readonly hash: Hash
}

/** The files that one attempt keeps: each appears whole, under its name, or not at all. */
export class ArtifactStore {
  readonly #directory: () => string
  readonly #touch: () => void
  readonly #names = new Set<string>()
  readonly #kept: ArtifactFacts[] = []
  readonly #pending = new Set<Promise<Artifact>>()
  #begun = 0

  /**
   * @param directory makes the attempt directory, and tells its path
   * @param touch is called for every piece that was written
   */
  constructor(directory: () => string, touch: () => void) {
    this.#directory = directory
    this.#touch = touch
  }

  /** @throws TypeError for a name that is none or was used before, and for a media type that is none; the system's error */
  keep(name: string, data: ArtifactData, mediaType?: string): Promise<Artifact> {
    const problem = isReservedName(String(name)) ? reservedProblem : artifactNameProblem(name)
    if (problem !== null) return Promise.reject(new TypeError(problem))
    const typeProblem = mediaType === undefined ? null : mediaTypeProblem(mediaType)
    if (typeProblem !== null) return Promise.reject(new TypeError(typeProblem))
    if (this.#names.has(name)) return Promise.reject(new TypeError(`this attempt has an artifact "${name}" already`))
    this.#names.add(name)
    const keeping = this.#keep(name, data, mediaType ?? mediaTypeOf(name))
    this.#pending.add(keeping)
    const done = () => void this.#pending.delete(keeping)
    keeping.then(done, () => {
      this.#names.delete(name)
      done()
    })
    return keeping
  }

  /** Those that are whole. */
  get kept(): readonly ArtifactFacts[] {
    return this.#kept
  }

  /** The artifact that a large result becomes. */
  keepResult(text: string): Promise<Artifact> {
    return this.#keep(attemptNames.largeResult, text, mediaTypeOf(attemptNames.largeResult))
  }

  /** Waits for those that the handler did not wait for. @throws what one of them throws */
  async finish(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending)
  }

  async #keep(name: string, data: ArtifactData, mediaType: string): Promise<Artifact> {
    const directory = join(this.#directory(), attemptNames.artifacts)
    await mkdir(directory, { recursive: true, mode: 0o700 })
    if (!(await lstat(directory)).isDirectory()) throw new TypeError(`"${directory}" was replaced by a link`)
    this.#begun += 1
    const temporary = join(this.#directory(), `artifact.${this.#begun}.tmp`)
    const path = join(directory, name)
    try {
      const written = isFile(data) ? await this.#move(data.file, temporary) : await this.#write(data, temporary)
      await rename(temporary, path)
      const facts = { name, mediaType, bytes: written.bytes, sha256: written.hash.digest('hex') }
      this.#kept.push(facts)
      return { ...facts, path }
    } catch (error) {
      await rm(temporary, { force: true })
      throw error
    }
  }

  async #write(data: Exclude<ArtifactData, { readonly file: string }>, file: string): Promise<Written> {
    const hash = createHash('sha256')
    let bytes = 0
    const handle = await open(file, 'w', 0o600)
    try {
      for await (const piece of piecesOf(data)) {
        const buffer = typeof piece === 'string' ? Buffer.from(piece) : piece
        if (!(buffer instanceof Uint8Array)) throw new TypeError('an artifact is made of text or bytes')
        hash.update(buffer)
        bytes += buffer.length
        // One that was opened for writing takes all of it.
        await handle.writeFile(buffer)
        this.#touch()
      }
      await handle.datasync()
      return { bytes, hash }
    } finally {
      await handle.close()
    }
  }

  async #move(given: string, target: string): Promise<Written> {
    const file = resolve(given)
    if (!(await lstat(file)).isFile()) throw new TypeError(`"${given}" is not a file`)
    await rename(file, target).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EXDEV') throw error
      await copyFile(file, target)
      await rm(file)
    })
    const hash = createHash('sha256')
    let bytes = 0
    for await (const piece of createReadStream(target)) {
      hash.update(piece as Buffer)
      bytes += (piece as Buffer).length
      this.#touch()
    }
    const handle = await open(target, 'r+')
    await handle.datasync().finally(() => handle.close())
    return { bytes, hash }
  }
}

const reservedProblem = `the name "${attemptNames.largeResult}" is kept for results that are too large`

function isFile(data: ArtifactData): data is { readonly file: string } {
  return typeof data === 'object' && data !== null && 'file' in data && typeof data.file === 'string'
}

function piecesOf(
  data: Exclude<ArtifactData, { readonly file: string }>,
): Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array> {
  if (typeof data === 'string' || data instanceof Uint8Array) return [data]
  if (typeof data === 'object' && data !== null && (Symbol.asyncIterator in data || Symbol.iterator in data))
    return data
  throw new TypeError('an artifact is text, bytes, a stream of them, or { file }')
}
