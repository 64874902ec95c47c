import { join } from 'node:path'
import type { ExecutorLog } from '../executor-context.ts'
import { HandedFile } from './handed-file.ts'
import { hostFiles } from './host-files.ts'

/** Notes what a host was handed, for the manager that comes after both have died. */
export class HandedNotes {
  readonly #directory: string
  readonly #log: ExecutorLog
  readonly #hostId: string
  #file: HandedFile | null = null
  #isNoted = true

  constructor(directory: string, hostId: string, log: ExecutorLog) {
    this.#directory = directory
    this.#hostId = hostId
    this.#log = log
  }

  /** @param all everything of the host, when the file is to be written anew */
  add(keys: readonly string[], all: () => readonly string[]): void {
    try {
      this.#file ??= new HandedFile(join(this.#directory, hostFiles.handed))
      this.#file.add(keys, all)
      this.#isNoted = true
    } catch (error) {
      // Only when manager and host both die now, these count as never handed over.
      const host = this.#hostId
      if (this.#isNoted) this.#log.warn({ host, err: error }, 'what was handed to a thread host could not be noted')
      this.#isNoted = false
    }
  }

  close(): void {
    this.#file?.close()
    this.#file = null
  }
}
