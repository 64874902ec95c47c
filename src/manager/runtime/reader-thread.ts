import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { type ErrorCode, QueueError } from '../../domain/errors.ts'
import type { Job, JsonObject } from '../../domain/job.ts'
import type { HistoryReader, UnitRecord } from '../../domain/ports/history-reader.ts'
import type { Statistics } from '../../domain/ports/history-store.ts'
import type { JobFilter } from '../../domain/ports/job-store.ts'

export interface ReaderThreadOptions {
  readonly databaseFile: string
  /** The database must belong to it. */
  readonly instanceId: string
  readonly log: { error(details: object, message: string): void }
  /** Default: the program's own entry. */
  readonly entry?: string | undefined
}

interface Call {
  readonly method: keyof HistoryReader
  readonly args: readonly unknown[]
  readonly resolve: (value: never) => void
  readonly reject: (error: unknown) => void
}

interface Answer {
  readonly id: number
  readonly value?: unknown
  readonly error?: { readonly code: ErrorCode; readonly message: string; readonly remedy: string }
}

/** Memory of a thread that nobody needs is given back after this long. */
const idleEndMs = 60_000

/**
 * Long reads on a thread of their own, made at the first call. One call runs at a time; the thread is never terminated while it
 * reads. When it dies, its calls are rejected and the next call makes another.
 */
export class ReaderThread implements HistoryReader {
  readonly #options: ReaderThreadOptions
  readonly #waiting: Call[] = []
  #running: { readonly id: number; readonly call: Call } | null = null
  #worker: Worker | null = null
  #ending: Promise<void> = Promise.resolve()
  #idleTimer: NodeJS.Timeout | undefined
  #lastId = 0
  #isClosed = false
  #onIdle: () => void = () => undefined

  constructor(options: ReaderThreadOptions) {
    this.#options = options
  }

  listJobs(filter: JobFilter, page: { beforeSeq?: number; limit: number }): Promise<readonly Job[]> {
    return this.#call('listJobs', filter, page)
  }

  readParams(jobIds: readonly string[]): Promise<ReadonlyMap<string, JsonObject>> {
    return this.#call('readParams', jobIds)
  }

  readUnitRecords(jobId: string, page: { afterPosition?: number; limit: number }): Promise<readonly UnitRecord[]> {
    return this.#call('readUnitRecords', jobId, page)
  }

  readStatistics(now: number): Promise<Statistics> {
    return this.#call('readStatistics', now)
  }

  readStoredBytes(afterUnitSeq: number, limit: number): Promise<{ bytes: number; lastSeq: number | null }> {
    return this.#call('readStoredBytes', afterUnitSeq, limit)
  }

  readJobBytes(jobIds: readonly string[]): Promise<number> {
    return this.#call('readJobBytes', jobIds)
  }

  findUnits(unitIds: readonly string[]): Promise<readonly string[]> {
    return this.#call('findUnits', unitIds)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    for (const call of this.#waiting.splice(0)) call.reject(closedError())
    if (this.#running !== null) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve
      })
    }
    this.#endThread()
    await this.#ending
  }

  #call<T>(method: keyof HistoryReader, ...args: readonly unknown[]): Promise<T> {
    if (this.#isClosed) return Promise.reject(closedError())
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ method, args, resolve: resolve as Call['resolve'], reject })
      this.#next()
    })
  }

  #next(): void {
    if (this.#running !== null) return
    clearTimeout(this.#idleTimer)
    const call = this.#waiting.shift()
    if (call === undefined) {
      this.#idleTimer = setTimeout(() => this.#endThread(), idleEndMs).unref()
      this.#onIdle()
      return
    }
    this.#lastId += 1
    this.#running = { id: this.#lastId, call }
    try {
      this.#worker ??= this.#start()
      this.#worker.postMessage({ id: this.#lastId, method: call.method, args: call.args })
    } catch (error) {
      this.#running = null
      call.reject(error)
      this.#next()
    }
  }

  #start(): Worker {
    const { databaseFile, instanceId, log, entry = readerEntry() } = this.#options
    const worker = new Worker(entry, { workerData: { databaseFile, instanceId }, stdin: false })
    worker.unref()
    let failure: unknown = null
    worker.on('message', (answer: Answer) => this.#settle(answer))
    worker.on('error', (error) => {
      failure = error
      log.error({ err: error }, 'the reader thread failed')
    })
    this.#ending = new Promise((resolve) => {
      worker.on('exit', () => {
        resolve()
        this.#onExit(worker, failure)
      })
    })
    return worker
  }

  #settle({ id, value, error }: Answer): void {
    if (this.#running?.id !== id) return
    const { call } = this.#running
    this.#running = null
    if (error === undefined) call.resolve(value as never)
    else call.reject(new QueueError(error.code, error.message, { remedy: error.remedy }))
    this.#next()
  }

  #onExit(worker: Worker, failure: unknown): void {
    if (this.#worker !== worker) return
    this.#worker = null
    const lost = [...(this.#running === null ? [] : [this.#running.call]), ...this.#waiting.splice(0)]
    this.#running = null
    const reason = failure instanceof Error ? `: ${failure.message}` : ''
    for (const call of lost) {
      call.reject(new QueueError('internal', `the reader thread ended during ${call.method}${reason}`))
    }
    this.#onIdle()
  }

  /** Only while nothing is read: the thread closes its connection and ends by itself. */
  #endThread(): void {
    clearTimeout(this.#idleTimer)
    const worker = this.#worker
    this.#worker = null
    worker?.postMessage('close')
  }
}

function closedError(): QueueError {
  return new QueueError('manager_unavailable', 'the manager is stopping and reads nothing more')
}

function readerEntry(): string {
  const here = fileURLToPath(new URL('../../persistence/reader-main.js', import.meta.url))
  // From source the built thread is started: threads always run what ships.
  return import.meta.url.endsWith('.ts') ? here.replace(/([\\/])src([\\/]persistence[\\/])/, '$1dist$2') : here
}
