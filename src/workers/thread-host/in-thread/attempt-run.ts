import { appendFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { OutputFacts } from '../../../domain/ports/attempt.ts'
import type { ReportedDevice } from '../../../handler/device.ts'
import { Cancelled } from '../../../handler/outcomes.ts'
import { seedOfUnit } from '../../../platform/unit-seed.ts'
import { attemptNames } from '../attempt-names.ts'
import type { ThreadItem } from '../thread-messages.ts'
import { ArtifactStore } from './artifact-store.ts'
import { AttemptOutput } from './attempt-output.ts'
import { monotonicMs } from './intrinsics.ts'
import { ProgressReporter } from './progress-reporter.ts'
import type { ThreadJob } from './thread-job.ts'
import type { ThreadState } from './thread-state.ts'

const nothingWritten: OutputFacts = { bytes: 0, droppedBytes: 0, tail: '' }

/** One attempt in its thread. What a handler may not ask for is made when it asks: most are over in no time. */
export class AttemptRun {
  readonly item: ThreadItem
  readonly job: ThreadJob
  readonly beganAt: number
  readonly #thread: ThreadState
  #hasEnded = false
  #abort: AbortController | null = null
  #waiters: Set<() => void> | null = null
  #progress: ProgressReporter | null = null
  #output: AttemptOutput | null = null
  #artifacts: ArtifactStore | null = null
  #directory: string | null = null
  #device: ReportedDevice | null = null
  #fail: ((thrown: unknown, how: string) => void) | null = null

  constructor(thread: ThreadState, item: ThreadItem, job: ThreadJob, beganAt: number) {
    this.#thread = thread
    this.item = item
    this.job = job
    this.beganAt = beganAt
  }

  get hasEnded(): boolean {
    return this.#hasEnded
  }

  /** True once it is to end; whoever listens hears of it, too. */
  get isCancelled(): boolean {
    if (this.#hasEnded || !this.#thread.control.isCancelled(this.item.seq)) return this.#hasEnded
    this.abort()
    return true
  }

  get signal(): AbortSignal {
    if (this.#abort === null) {
      this.#abort = new AbortController()
      if (this.isCancelled) this.#abort.abort(new Cancelled())
    }
    return this.#abort.signal
  }

  get seed(): number {
    return this.item.seed ?? seedOfUnit(this.item.unit_id)
  }

  get progress(): ProgressReporter {
    this.#progress ??= new ProgressReporter((progress) =>
      this.#thread.post({ kind: 'progress', seq: this.item.seq, progress, elapsedMs: this.elapsedMs() }),
    )
    return this.#progress
  }

  get output(): AttemptOutput {
    this.#output ??= new AttemptOutput({
      seq: this.item.seq,
      control: this.#thread.control,
      maxOutputBytes: this.job.wire.max_output_bytes,
      directory: () => this.directory(),
      askForCare: () => this.#thread.post({ kind: 'output', seq: this.item.seq }),
    })
    return this.#output
  }

  get artifacts(): ArtifactStore {
    this.#artifacts ??= new ArtifactStore(
      () => this.directory(),
      () => this.touch(),
    )
    return this.#artifacts
  }

  /** Null when nothing was kept. */
  get keptArtifacts(): ArtifactStore | null {
    return this.#artifacts
  }

  elapsedMs(): number {
    return Math.round(monotonicMs() - this.beganAt)
  }

  /** What was told before is not told again: a handler may say so with every step. */
  computesOn(device: ReportedDevice): void {
    if (device.name === this.#device?.name && device.kind === this.#device.kind) return
    this.#device = device
    this.#thread.post({ kind: 'device', seq: this.item.seq, device })
  }

  /** A sign of life. */
  touch(): void {
    this.#thread.control.touch()
  }

  /** Makes the attempt directory. @returns its path */
  directory(): string {
    if (this.#directory === null) {
      // The key names it; the module of all paths takes a tenth of the time in which a thread starts.
      this.#directory = join(this.#thread.attempts, this.item.key)
      mkdirSync(this.#directory, { recursive: true, mode: 0o700 })
    }
    return this.#directory
  }

  /** @returns the path of a folder in the attempt directory, which it makes */
  folder(name: string): string {
    const path = join(this.directory(), name)
    mkdirSync(path, { recursive: true, mode: 0o700 })
    return path
  }

  /** The attempt is to end: everything of it that waits is told. */
  abort(): void {
    const reason = new Cancelled()
    if (this.#abort !== null && !this.#abort.signal.aborted) this.#abort.abort(reason)
    for (const wake of [...(this.#waiters ?? [])]) wake()
    this.#thread.programs.abort(this.item.seq, reason)
  }

  /** @returns takes the listener out again */
  onAbort(listener: () => void): () => void {
    this.#waiters ??= new Set()
    const waiters = this.#waiters.add(listener)
    return () => void waiters.delete(listener)
  }

  /** @param fail hears of errors that nobody caught */
  onUncaught(fail: (thrown: unknown, how: string) => void): void {
    this.#fail = fail
  }

  /** Adds to the output of an attempt that has ended. */
  lateOutput(text: string): void {
    try {
      appendFileSync(join(this.directory(), attemptNames.output), text, { mode: 0o600 })
    } catch {
      // Its files may be gone already.
    }
  }

  /** An error of this attempt that nobody caught. */
  uncaught(thrown: unknown, how: string): void {
    this.#fail?.(thrown, how)
  }

  /**
   * Its handler has returned, or is given up: the last progress is told, nothing more is taken.
   * @param durable true: its output is on the disk when this returns
   */
  end(durable: boolean): OutputFacts {
    this.#hasEnded = true
    this.#progress?.flush()
    this.#thread.programs.abandon(this.item.seq)
    return this.#output?.close(durable) ?? nothingWritten
  }
}
