import { accessSync, constants, statSync } from 'node:fs'
import { join } from 'node:path'
import picomatch from 'picomatch'
import { Reject } from '../../../handler/index.ts'
import { compareManifests, readManifest } from './compare.ts'
import { ChangedFile, hashFile } from './hash-file.ts'
import { ManifestFile } from './manifest-file.ts'
import { manifestLine } from './manifest-format.ts'
import type { TreeCheckpoint, TreeContext, TreeParams, TreeResult } from './tree-params.ts'
import { problemOf, sizeOf, type WalkOptions, walk } from './walk.ts'

const saveEveryMs = 1000
/** So long the thread may be deaf at most. */
const breatheEveryMs = 20
const mostUnreadable = 100
/** They say something about this machine now, and nothing about the file. */
const passing = new Set(['EMFILE', 'ENFILE', 'ENOMEM'])

type Counts = Omit<TreeCheckpoint, 'file' | 'length'>

/** One run of the job type `checksum_tree`. */
export async function performChecksumTree(context: TreeContext): Promise<TreeResult> {
  const { params } = context
  assertRoot(params.root)
  const expected = params.expect === undefined ? null : await readManifest(params.expect, params.algorithm)
  const run = new TreeRun(context)
  try {
    await run.hashAll()
  } finally {
    run.close()
  }
  const { files, bytes, unreadable, unreadable_count, links_skipped, others_skipped } = run.counts
  const name = params.manifest ?? `${params.algorithm.toUpperCase()}SUMS`
  const comparison = expected === null ? null : await compareManifests(expected, run.file)
  const kept = await context.artifact(name, { file: run.file }, 'text/plain')
  return {
    files,
    bytes,
    manifest: kept.name,
    digest: kept.sha256,
    unreadable_count,
    unreadable,
    links_skipped,
    others_skipped,
    ...(comparison === null ? {} : { comparison }),
  }
}

class TreeRun {
  readonly #context: TreeContext
  readonly #manifest: ManifestFile
  readonly #resumed: boolean
  #counts: Counts
  #savedAt = performance.now()
  #breathedAt = performance.now()

  constructor(context: TreeContext) {
    this.#context = context
    const earlier = context.lastCheckpoint
    const reopened = earlier === null ? null : ManifestFile.reopen(earlier.file, earlier.length)
    if (earlier !== null && reopened === null) context.log.info('starts over: the list of the earlier attempt is gone')
    this.#resumed = reopened !== null
    this.#manifest = reopened ?? ManifestFile.create(context.temporaryFile('manifest.part'))
    this.#counts =
      reopened === null || earlier === null ? nothing() : { ...earlier, unreadable: [...earlier.unreadable] }
  }

  get counts(): Counts {
    return this.#counts
  }

  get file(): string {
    return this.#manifest.path
  }

  /** @throws Cancelled; what is finished by then is saved */
  async hashAll(): Promise<void> {
    if (this.#resumed) this.#context.log.info(`goes on behind ${this.#counts.last}`)
    else await this.#countAll()
    try {
      for (const found of walk(this.#walkOptions(this.#counts.last))) {
        if (found.kind === 'file') await this.#hashOne(found.path)
        else if (found.kind === 'unreadable') this.#noteUnreadable(found.path, found.problem)
        else if (found.kind === 'link') this.#counts.links_skipped += 1
        else if (found.kind === 'other') this.#counts.others_skipped += 1
        if (found.kind !== 'directory') this.#counts.last = found.path
        if (performance.now() - this.#savedAt >= saveEveryMs) this.#save()
        await this.#breathe()
      }
    } catch (error) {
      this.#saveIfPossible()
      throw error
    }
  }

  close(): void {
    this.#manifest.close()
  }

  async #countAll(): Promise<void> {
    const { progress, params } = this.#context
    let files = 0
    let bytes = 0
    for (const found of walk(this.#walkOptions(null))) {
      if (found.kind === 'file') {
        files += 1
        bytes += sizeOf(join(params.root, found.path), params.follow_links) ?? 0
        progress(0, null, `${files} files so far`, 'counting')
      }
      await this.#breathe()
    }
    this.#counts = { ...this.#counts, total_files: files, total_bytes: bytes }
  }

  async #hashOne(path: string): Promise<void> {
    const { algorithm, root, follow_links } = this.#context.params
    let before = this.#counts.bytes
    try {
      const { digest, bytes } = await hashFile({
        path: join(root, path),
        algorithm,
        follow: follow_links,
        onPiece: (read) => {
          before += read
          this.#tell(before, path)
          return this.#breathe()
        },
      })
      this.#manifest.append(manifestLine({ digest, path }))
      this.#counts.files += 1
      this.#counts.bytes += bytes
      this.#tell(this.#counts.bytes, path)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (!(error instanceof ChangedFile) && (code === undefined || passing.has(code))) throw error
      this.#noteUnreadable(path, error instanceof ChangedFile ? error.message : problemOf(error))
    }
  }

  #tell(bytes: number, path: string): void {
    const { files, total_files, total_bytes } = this.#counts
    this.#context.progress(bytes, Math.max(bytes, total_bytes), `${files} of ${total_files} files: ${path}`, 'hashing')
  }

  #noteUnreadable(path: string, problem: string): void {
    this.#counts.unreadable_count += 1
    if (this.#counts.unreadable.length < mostUnreadable) this.#counts.unreadable.push({ path, problem })
  }

  /** Lets a cancel in. @throws Cancelled */
  #breathe(): Promise<void> | undefined {
    this.#context.cancellation.throwIfCancelled()
    if (performance.now() - this.#breathedAt < breatheEveryMs) return undefined
    return new Promise((resolve) => {
      setImmediate(() => {
        this.#breathedAt = performance.now()
        resolve()
      })
    })
  }

  #save(): void {
    const length = this.#manifest.sync()
    this.#context.checkpoint({ ...this.#counts, file: this.#manifest.path, length })
    this.#savedAt = performance.now()
  }

  /** Why it ended matters more than that the last second is done again. */
  #saveIfPossible(): void {
    try {
      this.#save()
    } catch (error) {
      this.#context.log.warn(`the last finished files could not be saved: ${(error as Error).message}`)
    }
  }

  #walkOptions(after: string | null): WalkOptions {
    const { root, follow_links, include, exclude } = this.#context.params
    return {
      root,
      follow: follow_links,
      after,
      isIncluded: matcher(include, true),
      isExcluded: matcher(exclude, false),
    }
  }
}

function matcher(patterns: TreeParams['include'], whenNone: boolean): (path: string) => boolean {
  // Extended patterns such as +(a|aa) may take exponential time.
  return patterns.length === 0 ? () => whenNone : picomatch(patterns, { dot: true, noextglob: true })
}

function nothing(): Counts {
  return {
    last: '',
    files: 0,
    bytes: 0,
    total_files: 0,
    total_bytes: 0,
    unreadable_count: 0,
    unreadable: [],
    links_skipped: 0,
    others_skipped: 0,
  }
}

function assertRoot(root: string): void {
  try {
    if (!statSync(root).isDirectory()) throw new Reject(`root ${root} is not a directory`)
    accessSync(root, constants.R_OK | constants.X_OK)
  } catch (error) {
    if (error instanceof Reject) throw error
    throw new Reject(`root ${root} cannot be read: ${(error as Error).message}`)
  }
}
