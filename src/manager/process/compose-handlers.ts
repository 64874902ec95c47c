import type { Logger } from 'pino'
import type { StatePaths } from '../../config/paths.ts'
import type { Settings } from '../../config/settings.ts'
import { version } from '../../config/version.ts'
import type { AvailableHandler, BrokenHandler } from '../../domain/handler-info.ts'
import type { HandlerSource } from '../../domain/ports/handler-source.ts'
import { ownJobTypes } from '../services/job-types.ts'

/**
 * Handlers that are loaded a moment after the start: commands that wait are started first. Until then no handler can run, and
 * whoever asks for one waits.
 */
export class HandlersToCome implements HandlerSource {
  readonly #listeners: (() => void)[] = []
  readonly #loaded: Promise<HandlerSource>
  #source: HandlerSource | null = null
  #take: (source: HandlerSource) => void = () => undefined

  constructor() {
    this.#loaded = new Promise((resolve) => {
      this.#take = resolve
    })
  }

  find(type: string): AvailableHandler | null {
    return this.#source?.find(type) ?? null
  }

  available(): readonly AvailableHandler[] {
    return this.#source?.available() ?? []
  }

  broken(): readonly BrokenHandler[] {
    return this.#source?.broken() ?? []
  }

  async refresh(): Promise<void> {
    await (await this.#loaded).refresh()
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener)
  }

  async close(): Promise<void> {
    await this.#source?.close()
  }

  /** Loads them; those of the person's directory as they were last known, until it has been looked at. */
  async load(paths: StatePaths, settings: Settings, log: Logger): Promise<void> {
    const [{ HandlerCatalogue }, { availableBuiltIns }] = await Promise.all([
      import('../../workers/handler-files/handler-catalogue.ts'),
      import('../../workers/handlers/available-built-ins.ts'),
    ])
    const source = new HandlerCatalogue({
      directory: settings.handlers ?? paths.handlers,
      cacheFile: paths.handlerCatalogue,
      builtIns: availableBuiltIns(version),
      reserved: ownJobTypes.map(({ type }) => type),
      warn: (message, error) => log.warn({ err: error }, message),
    })
    const tell = () => {
      for (const listener of this.#listeners) listener()
    }
    source.onChange(tell)
    this.#source = source
    this.#take(source)
    tell()
    void source.refresh().catch((error: unknown) => log.warn({ err: error }, 'the handlers could not be looked at'))
  }
}
