import { type FSWatcher, statSync, watch } from 'node:fs'

/** Several files are often written together. */
const settleMs = 100

/**
 * Notices that something in a directory changes. Only a hint: it sees no subdirectories, and not every file system tells.
 * Never keeps the process alive.
 */
export class DirectoryWatch {
  readonly #directory: string
  readonly #onChange: () => void
  #watcher: FSWatcher | null = null
  #inode: number | null = null
  #timer: NodeJS.Timeout | undefined
  #hasChanged = false

  /** @param onChange called a moment after the last of several changes */
  constructor(directory: string, onChange: () => void) {
    this.#directory = directory
    this.#onChange = onChange
  }

  /** Since the last `reset`. */
  get hasChanged(): boolean {
    return this.#hasChanged
  }

  reset(): void {
    this.#hasChanged = false
  }

  /** Watches the directory that is there now; one that was replaced is another. */
  open(): void {
    try {
      const { ino } = statSync(this.#directory)
      if (this.#watcher !== null && this.#inode === ino) return
      this.#stop()
      this.#inode = ino
      this.#watcher = watch(this.#directory, { persistent: false }, () => this.#changed())
      this.#watcher.on('error', () => this.#stop())
    } catch {
      // The times of the files tell, a moment later.
      this.#stop()
    }
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#stop()
  }

  #changed(): void {
    this.#hasChanged = true
    clearTimeout(this.#timer)
    this.#timer = setTimeout(this.#onChange, settleMs).unref()
  }

  #stop(): void {
    this.#watcher?.close()
    this.#watcher = null
    this.#inode = null
  }
}
