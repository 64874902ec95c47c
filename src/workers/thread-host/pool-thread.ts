import { fileURLToPath } from 'node:url'
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads'
import { ControlBlock } from './control-block.ts'
import type { HostAttempt } from './host-attempt.ts'
import type { HostCode } from './job-book.ts'
import { type PackedText, packText } from './packed-text.ts'
import type { FromThread, ThreadData, ThreadItem, ToThread } from './thread-messages.ts'

/** Why a thread is gone. */
export type ThreadDeath =
  | { readonly kind: 'terminated' }
  | { readonly kind: 'heap' }
  | { readonly kind: 'exit'; readonly code: string; readonly seq: number | null }
  | { readonly kind: 'error'; readonly error: unknown }

export interface ThreadEvents {
  told(thread: PoolThread, message: FromThread): void
  gone(thread: PoolThread, death: ThreadDeath): void
  /** It was told by force to end, and has not ended. */
  stuck(thread: PoolThread): void
}

export interface ThreadOptions {
  readonly heapMegabytes: number
  readonly attempts: string
  readonly environment: NodeJS.ProcessEnv
  readonly terminateMs: number
  readonly events: ThreadEvents
}

const entry = fileURLToPath(new URL('./thread-main.js', import.meta.url))
const youngMegabytes = 32

/** One thread, from its start to its end. It has a code for life, given at its start or later. */
export class PoolThread {
  readonly control = new ControlBlock()
  readonly heapMegabytes: number
  /** What it was given and has not ended, by sequence number. */
  readonly handed = new Map<number, HostAttempt>()
  code: HostCode | null = null
  isLoaded = false
  /** True from the moment it is given something until nothing of it is left. */
  isBusy = false
  /** False: it is given nothing more. */
  isUsable = true
  isGone = false
  /** What it said could not be read: what runs in it is not to blame for its end. */
  isSpoiled = false
  /** Monotonic ms. */
  idleSince = 0
  readonly #worker: Worker
  readonly #port: MessagePort
  readonly #events: ThreadEvents
  readonly #terminateMs: number
  readonly #exited: Promise<void>
  readonly #jobs = new Set<string>()
  #forget: string[] = []
  #lastSeq = 0
  #ending: Promise<void> | null = null
  #error: { readonly error: unknown } | null = null
  #exit: { readonly seq: number; readonly code: string } | null = null

  /** @throws the system's error when no thread can be made */
  constructor(options: ThreadOptions) {
    const { port1, port2 } = new MessageChannel()
    const data: ThreadData = { port: port2, control: this.control.buffer, attempts: options.attempts }
    this.heapMegabytes = options.heapMegabytes
    this.#events = options.events
    this.#terminateMs = options.terminateMs
    this.#port = port1
    this.#worker = new Worker(entry, {
      workerData: data,
      transferList: [port2],
      env: options.environment,
      execArgv: [],
      stdin: false,
      // Nobody reads these: to ask for more would be answered by the streams that the thread has put in their place.
      stdout: true,
      stderr: true,
      resourceLimits: {
        maxOldGenerationSizeMb: options.heapMegabytes,
        maxYoungGenerationSizeMb: Math.min(youngMegabytes, options.heapMegabytes),
      },
    })
    this.#port.on('message', (message: FromThread) => this.#take(message))
    this.#worker.on('error', (error) => {
      this.#error = { error }
    })
    this.#exited = new Promise((resolve) => {
      this.#worker.on('exit', (code) => {
        this.#onExit(code)
        resolve()
      })
    })
  }

  load(code: HostCode): void {
    this.code = code
    const { type, file, reusable, heapMegabytes } = code
    this.#post({ kind: 'load', code: { type, file, reusable, heapMegabytes } })
  }

  /** @param attempts of its code @param now monotonic ms */
  hand(attempts: readonly HostAttempt[], now: number): void {
    const jobs: PackedText[] = []
    const items: ThreadItem[] = []
    for (const attempt of attempts) {
      const { job } = attempt
      if (!this.#jobs.has(job.job_key)) {
        this.#jobs.add(job.job_key)
        jobs.push(job.packed)
      }
      this.#lastSeq += 1
      attempt.seq = this.#lastSeq
      attempt.thread = this
      attempt.phase = 'handed'
      attempt.handedAt = now
      this.handed.set(attempt.seq, attempt)
      items.push({ ...attempt.item, seq: attempt.seq, job_key: job.job_key })
    }
    this.isBusy = true
    this.control.permit(this.#lastSeq)
    this.#post({ kind: 'run', jobs, forget: this.#forget, items: packText(JSON.stringify(items)) })
    this.#forget = []
  }

  /** @returns those that have not begun and now will not, in order; they wait again */
  takeBack(): HostAttempt[] {
    const begun = this.control.takeBack()
    const back = [...this.handed.values()].filter((attempt) => attempt.seq > begun)
    for (const attempt of back) this.#release(attempt)
    return back
  }

  /** Nothing of these jobs is in the host any more. */
  forget(keys: readonly string[]): void {
    for (const key of keys) if (this.#jobs.delete(key)) this.#forget.push(key)
  }

  /** The attempt is to end: it sees so in a loop, and hears it when it awaits. */
  abort(attempt: HostAttempt): void {
    this.control.cancel(attempt.seq)
    this.#post({ kind: 'abort', seq: attempt.seq })
  }

  send(message: ToThread): void {
    this.#post(message)
  }

  /** Ends it by force. Resolves when it is gone, however long that takes. */
  end(): Promise<void> {
    this.isUsable = false
    this.#ending ??= this.#terminate()
    return this.#ending
  }

  async #terminate(): Promise<void> {
    const timer = setTimeout(() => this.#events.stuck(this), this.#terminateMs)
    void this.#worker.terminate()
    await this.#exited
    clearTimeout(timer)
  }

  #post(message: ToThread): void {
    this.#port.postMessage(message)
  }

  #take(message: FromThread): void {
    if (message.kind === 'exit') this.#exit = message
    else if (!this.isGone) this.#events.told(this, message)
  }

  #release(attempt: HostAttempt): void {
    this.handed.delete(attempt.seq)
    attempt.thread = null
    attempt.phase = 'waiting'
  }

  #onExit(code: number): void {
    // What it said before its end is heard before its end.
    for (let left = receiveMessageOnPort(this.#port); left !== undefined; left = receiveMessageOnPort(this.#port)) {
      this.#take(left.message as FromThread)
    }
    this.#port.close()
    this.isUsable = false
    this.isGone = true
    this.#events.gone(this, this.#death(code))
  }

  #death(code: number): ThreadDeath {
    if (this.#error !== null && (this.#error.error as { code?: unknown } | null)?.code === 'ERR_WORKER_OUT_OF_MEMORY')
      return { kind: 'heap' }
    if (this.#ending !== null) return { kind: 'terminated' }
    if (this.#error !== null) return { kind: 'error', error: this.#error.error }
    return { kind: 'exit', code: this.#exit?.code ?? String(code), seq: this.#exit?.seq ?? null }
  }
}
