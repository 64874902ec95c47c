import type { OutputFacts, StopReason } from '../../domain/ports/attempt.ts'
import type { AttemptLog } from '../../domain/ports/attempt-log.ts'
import type { RemoteObserver, RemoteTask } from '../../domain/ports/remote-executor.ts'
import type { Reservation } from '../fleet-access.ts'
import { type WorkerClient, WorkerFault } from '../worker-client.ts'
import type { AttemptSetting } from './attempt-setting.ts'
import { attemptToken, type BuiltRequest, buildRequest } from './build-request.ts'
import { LeaseBook } from './lease-book.ts'
import { noTries, type SendTries } from './send-rules.ts'
import { PollPace } from './timings.ts'
import { ToldNews } from './told-news.ts'

/** The manager leaves: nothing is told any more. */
export class Detached extends Error {
  override readonly name = 'Detached'
}

const nothingWritten: OutputFacts = { bytes: 0, droppedBytes: 0, tail: '' }

/** What the steps of one attempt know together. */
export class AttemptRun {
  readonly setting: AttemptSetting
  readonly task: RemoteTask
  readonly observer: RemoteObserver
  readonly token: string
  readonly lease: LeaseBook
  readonly pace: PollPace
  readonly news: ToldNews
  readonly tries: SendTries = { ...noTries }
  /** Workers that do not serve it. */
  readonly tried = new Set<string>()
  /** One for all its life. */
  readonly remoteId: string
  place: Reservation | null = null
  /** The worker answered that it has it. */
  wasAccepted = false
  /** PUTs that may have arrived. */
  puts = 0
  /** What made the last answer unknown; null: it is known. */
  doubt: WorkerFault | null = null
  /** Failed requests in a row since the last known answer. */
  doubts = 0
  stopReason: StopReason | null = null
  /** The last answer said that it has ended. */
  hasEndedThere = false
  /** Ms of it that had passed when its worker first said that it has it. */
  acceptedAfterMs: number
  /** One of its own: listeners on a signal that lives as long as the manager would pile up. */
  readonly #leaving = new AbortController()
  readonly #startedAt: number
  #wake = new AbortController()
  /** Where the last request went. */
  #askedAt: string | null = null
  /** Where the worker said last that it has it. */
  #acceptedAt: string | null = null
  #request: BuiltRequest | null = null
  #log: AttemptLog | null = null

  constructor(
    setting: AttemptSetting,
    task: RemoteTask,
    observer: RemoteObserver,
    start: { readonly remoteId: string; readonly isAdopted: boolean },
  ) {
    this.setting = setting
    this.task = task
    this.observer = observer
    this.token = attemptToken(task)
    this.remoteId = start.remoteId
    this.#startedAt = setting.clock.monotonic()
    this.lease = new LeaseBook(setting.clock, this.leaseMs)
    this.pace = new PollPace(setting.timings)
    this.news = new ToldNews(this, start.isAdopted)
    this.acceptedAfterMs = start.isAdopted ? 0 : Number.POSITIVE_INFINITY
  }

  get worker(): string {
    return this.place?.worker ?? ''
  }

  /** Lease and margin, ms. */
  get leaseMs(): number {
    return this.setting.leaseSeconds * 1_000 + this.setting.timings.marginMs
  }

  get log(): AttemptLog {
    this.#log ??= this.#openLog()
    return this.#log
  }

  /** An attempt is worth more than its log. */
  #openLog(): AttemptLog {
    const { directory, maxOutputBytes } = this.task
    try {
      return this.setting.openLog(directory, maxOutputBytes)
    } catch (error) {
      this.setting.log.warn({ directory, err: error }, 'the log of a remote attempt cannot be kept')
      return createLostLog()
    }
  }

  get request(): BuiltRequest {
    this.#request ??= buildRequest(this.task, this.remoteId)
    return this.#request
  }

  get isDetached(): boolean {
    return this.#leaving.signal.aborted
  }

  get detached(): AbortSignal {
    return this.#leaving.signal
  }

  /** The manager leaves: what is under way is given up, the worker is not told. */
  detach(): void {
    this.#leaving.abort()
    this.#wake.abort()
  }

  /** The worker said that it has it. */
  accepted(): void {
    this.wasAccepted = true
    this.#acceptedAt = this.#askedAt
    this.tries.mayRun = true
    this.acceptedAfterMs = Math.min(this.acceptedAfterMs, this.elapsedMs())
    // It may be large, and can be made again.
    this.#request = null
  }

  /** Adoption: it was sent there, and may run there. */
  wasSentTo(url: string): void {
    if (this.setting.fleet.entryOf(this.worker)?.url === url) return
    this.wasAccepted = true
    this.#acceptedAt = url
  }

  /** True: another worker has the name of the one that has it, and says nothing of that one when it does not know it. */
  get isElsewhere(): boolean {
    return this.wasAccepted && this.#askedAt !== this.#acceptedAt
  }

  /** Ends the pause under way, and every later one of this signal. */
  get woken(): AbortSignal {
    return this.#wake.signal
  }

  /** Awake ms, those before an adoption included. */
  elapsedMs(): number {
    return Math.round(this.task.elapsedMs + Math.max(0, this.setting.clock.monotonic() - this.#startedAt))
  }

  stop(reason: StopReason): void {
    // A cancel is stronger than a release.
    if (this.stopReason === 'cancel' || this.stopReason === reason) return
    const isFirst = this.stopReason === null
    this.stopReason = reason
    if (isFirst) this.#wake.abort()
  }

  /** The stop has been heard: pauses last again. */
  heard(): void {
    if (this.#wake.signal.aborted && !this.isDetached) this.#wake = new AbortController()
  }

  /** @throws Detached */
  async pause(ms: number): Promise<void> {
    if (ms > 0 && !this.#wake.signal.aborted) await this.setting.sleep(ms, this.#wake.signal)
    if (this.isDetached) throw new Detached()
  }

  /**
   * One request to its worker; the fleet hears what it gave.
   * @throws WorkerFault; Detached
   */
  async ask<Answer>(send: (client: WorkerClient, signal: AbortSignal) => Promise<Answer>): Promise<Answer> {
    return this.tell(async () => {
      const { fleet } = this.setting
      const client = fleet.clientOf(this.worker)
      this.#askedAt = fleet.entryOf(this.worker)?.url ?? null
      if (client === null)
        throw new WorkerFault(
          'not_sent',
          'NOT_CONFIGURED',
          'no such worker is configured any more, or it cannot be used',
        )
      return send(client, this.detached)
    })
  }

  /** As `ask`, with a request of another kind. */
  async tell<Answer>(send: () => Promise<Answer>): Promise<Answer> {
    if (this.isDetached) throw new Detached()
    const { fleet } = this.setting
    try {
      const answer = await send()
      if (!this.isDetached) fleet.reportSuccess(this.worker)
      return answer
    } catch (error) {
      if (this.isDetached) throw new Detached()
      const fault = error instanceof WorkerFault ? error : asFault(error)
      if (fault.code !== 'NOT_CONFIGURED') fleet.reportFault(this.worker, fault)
      throw fault
    }
  }

  /** What is known of its log when it ends. */
  async closeLog(): Promise<OutputFacts> {
    return this.#log === null && !this.tries.mayRun ? nothingWritten : this.log.finish()
  }
}

function createLostLog(): AttemptLog {
  let next = 0
  return {
    get next() {
      return next
    },
    async append(_text, behind) {
      next = behind
    },
    finish: async () => nothingWritten,
  }
}

/** Of the file system, as a rule: the answer could not be kept. Its text names paths of this machine, which the log has. */
function asFault(error: unknown): WorkerFault {
  const code = (error as { code?: unknown } | null)?.code
  const known = typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,63}$/.test(code) ? code : 'UNKNOWN'
  return new WorkerFault('ambiguous', known, 'its answer could not be kept here', { cause: error })
}
