import { statSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { AvailableHandler, BrokenHandler } from '../../domain/handler-info.ts'
import type { HandlerSource } from '../../domain/ports/handler-source.ts'
import { type PackageLink, packageLinks } from '../../platform/package-links.ts'
import { readCatalogueCache, writeCatalogueCache } from './catalogue-cache.ts'
import { type CatalogueState, catalogueState, differs, typesOf } from './catalogue-state.ts'
import { describeFiles } from './describe-files.ts'
import type { FileDescription } from './description.ts'
import { DirectoryWatch } from './directory-watch.ts'
import { type DirectoryLook, isOwnDirectory, readHandlerDirectory, sameLook } from './read-directory.ts'
import { type KnownContent, revisionOf } from './revision.ts'

export interface CatalogueOptions {
  /** Absolute; need not exist. */
  readonly directory: string
  /** Where descriptions are kept over a restart; null: nowhere. */
  readonly cacheFile: string | null
  readonly builtIns: readonly AvailableHandler[]
  /** Types that are no handlers, such as "command". */
  readonly reserved: readonly string[]
  /** Told what went wrong and is no fault of a file. */
  readonly warn?: (message: string, error: unknown) => void
  /** False: nothing is watched, linked or written. Default true. */
  readonly change?: boolean
  readonly describe?: typeof describeFiles
  readonly userId?: number | undefined
}

/** A look so old says nothing any more. */
const freshMs = 500
/** A file that changes while it is looked at is looked at again, so often at most. */
const mostRounds = 3
const nothing: DirectoryLook = { directoryMtimeMs: null, problem: null, handlers: [], refused: new Map(), files: [] }

/** The job types that are handlers: built in, and in the person's directory, whose files may change at any moment. */
export class HandlerCatalogue implements HandlerSource {
  readonly #options: CatalogueOptions
  readonly #describe: typeof describeFiles
  readonly #watch: DirectoryWatch
  readonly #closing = new AbortController()
  readonly #listeners: (() => void)[] = []
  #state: CatalogueState
  #look = nothing
  #links: readonly PackageLink[] = []
  #revision = ''
  #contents: ReadonlyMap<string, KnownContent> = new Map()
  #described: ReadonlyMap<string, FileDescription> = new Map()
  #types: ReadonlyMap<string, string> = new Map()
  #lookedAt = Number.NEGATIVE_INFINITY
  #running: Promise<void> | null = null
  #following: Promise<void> | null = null
  /** The last look could not be finished. */
  #mustTake = false

  constructor(options: CatalogueOptions) {
    this.#options = options
    this.#describe = options.describe ?? describeFiles
    this.#watch = new DirectoryWatch(options.directory, () => {
      this.refresh().catch((error: unknown) => this.#warn('the handler directory could not be looked at', error))
    })
    this.#readCache()
    this.#state = this.#decide()
  }

  /** Looks at every file again, whenever the last look was. */
  scan(): Promise<void> {
    this.#lookedAt = Number.NEGATIVE_INFINITY
    return this.refresh()
  }

  /**
   * Looks at the directory again, unless that was a moment ago and nothing was added since. Calls share a look, but only one that
   * began after they did. What goes wrong is told as the problem of the files.
   */
  refresh(): Promise<void> {
    if (this.#closing.signal.aborted) return Promise.resolve()
    if (this.#running !== null) {
      this.#following ??= this.#running
        .catch(() => undefined)
        .then(() => {
          this.#following = null
          return this.refresh()
        })
      return this.#following
    }
    this.#running = this.#lookWhenStale().finally(() => {
      this.#running = null
    })
    return this.#running
  }

  find(type: string): AvailableHandler | null {
    return this.#state.available.get(type) ?? null
  }

  available(): readonly AvailableHandler[] {
    return [...this.#state.available.values()]
  }

  broken(): readonly BrokenHandler[] {
    return this.#state.broken
  }

  all(): { readonly available: readonly AvailableHandler[]; readonly broken: readonly BrokenHandler[] } {
    return { available: this.available(), broken: this.broken() }
  }

  /** Why nothing in the directory may be used; null: no such reason. */
  get directoryProblem(): string | null {
    return this.#look.problem
  }

  /** Packages of this installation that its files can import. */
  get links(): readonly PackageLink[] {
    return this.#links
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener)
  }

  async close(): Promise<void> {
    this.#closing.abort()
    this.#watch.close()
    await this.#running?.catch(() => undefined)
  }

  async #lookWhenStale(): Promise<void> {
    // What the system has to tell of files that changed before this call is heard first.
    await new Promise((resolve) => setImmediate(resolve))
    if (!this.#isFresh()) await this.#lookAgain()
  }

  #isFresh(): boolean {
    if (this.#watch.hasChanged || performance.now() - this.#lookedAt > freshMs) return false
    // A file that comes or goes changes the time of its directory: cheap enough for every call.
    const mtimeMs = statSync(this.#options.directory, { throwIfNoEntry: false })?.mtimeMs ?? null
    return mtimeMs === this.#look.directoryMtimeMs
  }

  async #lookAgain(): Promise<void> {
    for (let round = 0; round < mostRounds; round += 1) {
      const isForced = this.#mustTake || this.#lookedAt === Number.NEGATIVE_INFINITY
      this.#watch.reset()
      const look = await readHandlerDirectory(this.#options.directory, this.#userId())
      this.#links = this.#linksFor(look)
      const isSame = !isForced && sameLook(look, this.#look)
      this.#look = look
      this.#lookedAt = performance.now()
      if (isSame) return
      await this.#take(look)
      if (this.#mustTake || this.#closing.signal.aborted) return
    }
  }

  /** Describes what is new in a look, and decides anew. */
  async #take(look: DirectoryLook): Promise<void> {
    const { directory } = this.#options
    const { revision, contents } = await revisionOf(directory, look.files, this.#contents)
    const usable = look.problem === null ? look.handlers.filter((name) => !look.refused.has(name)) : []
    // What could not be used may be well now, though no file says so: it is tried again whenever one was touched.
    const kept = revision === this.#revision ? [...this.#described].filter(([, { ok }]) => ok) : []
    const described = new Map(kept.filter(([name]) => usable.includes(name)))
    const missing = usable.filter((name) => !described.has(name)).map((name) => join(directory, name))
    for (const description of await this.#describeAll(missing)) described.set(basename(description.file), description)
    if (this.#closing.signal.aborted) return
    this.#revision = revision
    this.#contents = contents
    this.#described = described
    this.#types = new Map([...this.#types, ...typesOf(described)])
    const before = this.#state
    this.#state = this.#decide()
    this.#writeCache()
    if (differs(before, this.#state)) for (const listener of this.#listeners) listener()
  }

  async #describeAll(files: readonly string[]): Promise<readonly FileDescription[]> {
    this.#mustTake = false
    if (files.length === 0) return []
    try {
      return await this.#describe(files, { directory: this.#options.directory, signal: this.#closing.signal })
    } catch (error) {
      // No fault of the files: the next call tries again.
      this.#mustTake = true
      if (!this.#closing.signal.aborted) this.#warn('handlers could not be looked at', error)
      return files.map((file) => ({
        ok: false,
        file,
        problem: `it cannot be looked at now: ${(error as Error).message}`,
      }))
    }
  }

  #decide(): CatalogueState {
    const { directory, builtIns, reserved } = this.#options
    return catalogueState({
      directory,
      builtIns,
      reserved,
      look: this.#look,
      revision: this.#revision,
      described: this.#described,
      types: this.#types,
    })
  }

  #linksFor(look: DirectoryLook): readonly PackageLink[] {
    const { directory, change = true } = this.#options
    if (look.directoryMtimeMs === null || look.problem !== null) return []
    if (change) this.#watch.open()
    return packageLinks(directory, change)
  }

  /** What was known last holds until the first look, as long as nobody else can have written the files. */
  #readCache(): void {
    const { cacheFile, directory } = this.#options
    const cache = cacheFile === null ? null : readCatalogueCache(cacheFile, directory)
    if (cache === null || !isOwnDirectory(directory, this.#userId())) return
    this.#look = { ...nothing, handlers: Object.keys(cache.described) }
    this.#revision = cache.revision
    this.#contents = new Map(Object.entries(cache.contents))
    this.#types = new Map(Object.entries(cache.types))
    this.#described = new Map(
      Object.entries(cache.described).map(([name, info]) => [name, { ok: true, file: join(directory, name), info }]),
    )
  }

  #writeCache(): void {
    const { cacheFile, directory, change = true } = this.#options
    if (cacheFile === null || !change) return
    const good = [...this.#described].flatMap(([name, each]) => (each.ok ? [[name, each.info] as const] : []))
    try {
      writeCatalogueCache(cacheFile, {
        directory,
        revision: this.#revision,
        contents: Object.fromEntries(this.#contents),
        described: Object.fromEntries(good),
        types: Object.fromEntries([...this.#types].filter(([name]) => this.#look.handlers.includes(name))),
      })
    } catch (error) {
      this.#warn('what is known of the handlers could not be kept', error)
    }
  }

  #userId(): number | undefined {
    return 'userId' in this.#options ? this.#options.userId : process.getuid?.()
  }

  #warn(message: string, error: unknown): void {
    this.#options.warn?.(message, error)
  }
}
