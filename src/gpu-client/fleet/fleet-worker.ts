import type { GpuWorkerEntry } from '../../domain/wire/gpu.ts'
import { WorkerFault } from '../worker-client.ts'
import { fingerprintOf } from '../workers-file.ts'
import { askWorker } from './ask-worker.ts'
import { type BreakerState, WorkerBreaker } from './breaker.ts'
import type { FleetContext } from './context.ts'
import { openWay } from './open-way.ts'
import { keyFingerprint } from './worker-key.ts'
import type { WorkerLook, WorkerWay } from './worker-look.ts'

/** The last look that failed. */
export interface WorkerProblem {
  readonly fault: WorkerFault
  readonly tries: number
}

/** One configured worker: what is known of it, and who is there. */
export class FleetWorker {
  readonly name: string
  readonly entry: GpuWorkerEntry
  readonly breaker: WorkerBreaker
  readonly #context: FleetContext
  #way: { readonly way: WorkerWay; readonly ca: string | null } | null = null
  #seen: { readonly look: WorkerLook; readonly at: number; readonly own: number } | null = null
  #last: { readonly look: WorkerLook; readonly wallAt: number } | null = null
  #problem: WorkerProblem | null = null
  #problemAt = 0
  /** 409 since the last look. */
  #full = false
  #own = 0
  #asking: Promise<void> | null = null
  #askingSince = 0
  #nextLookAt = 0
  /** It asked for that (Retry-After). */
  #leftAloneUntil = 0
  #isOutdated = false
  #triesMade = 0
  #pauseMs: number

  /** @param running attempts that are there already */
  constructor(name: string, entry: GpuWorkerEntry, context: FleetContext, kept: BreakerState | null, running: number) {
    this.name = name
    this.entry = entry
    this.#context = context
    this.#own = running
    this.#pauseMs = context.pace.soonMs
    this.breaker = new WorkerBreaker(context.pace, kept, () => {
      context.breakerChanged()
      context.changed()
    })
  }

  get look(): WorkerLook | null {
    return this.#seen?.look ?? null
  }

  /** What the last look that succeeded found, however long ago, for people. */
  get lastLook(): { readonly look: WorkerLook; readonly wallAt: number } | null {
    return this.#last
  }

  get problem(): WorkerProblem | null {
    return this.#problem
  }

  get running(): number {
    return this.#own
  }

  set running(count: number) {
    this.#own = count
  }

  /** True: what the last look found is recent enough to send something there. */
  isFresh(): boolean {
    return this.#seen !== null && this.#age(this.#seen.at) <= this.#context.pace.freshMs
  }

  /** True: what the last look gave, or how it failed, still says something. */
  isKnown(): boolean {
    const at = this.#problem === null ? this.#seen?.at : this.#problemAt
    if (at === undefined || this.#isOutdated) return false
    return this.#age(at) <= 2 * this.#context.pace.lateMs || this.#leftAloneUntil > this.#context.clock.monotonic()
  }

  /** True: it was asked some time ago and has not answered. */
  isSilent(): boolean {
    return this.#asking !== null && this.#age(this.#askingSince) >= this.#context.pace.checkingMs
  }

  #age(at: number): number {
    return this.#context.clock.monotonic() - at
  }

  /** Free places as of the last look, less what was sent there since. */
  get free(): number {
    if (this.#seen === null || this.#full) return 0
    const { look, own } = this.#seen
    const free = look.slots.free - (this.#own - own)
    return Math.max(0, Math.min(free, look.slots.total - this.#own))
  }

  /** @throws WorkerFault for an entry that cannot be used */
  way(): WorkerWay {
    const ca = this.entry.ca_file === undefined ? null : fingerprintOf(this.entry.ca_file)
    if (this.#way !== null && this.#way.ca === ca) return this.#way.way
    this.#way?.way.channel.retire()
    this.#way = null
    const way = openWay(this.name, this.entry, this.#context, this.#context.timeouts)
    this.#way = { way, ca }
    return way
  }

  /** Begins a look when one is due. */
  lookIfDue(): void {
    this.#minded()
    if (this.#asking !== null || this.#context.clock.monotonic() < this.#nextLookAt) return
    if (this.breaker.keyRefused || this.breaker.waits()) return
    this.#askingSince = this.#context.clock.monotonic()
    this.#asking = this.#ask().finally(() => {
      this.#asking = null
      this.#context.changed()
    })
  }

  /** Something is wanted again after a while: what kept the worker from being used then may be over. */
  rouse(): void {
    const { soonMs } = this.#context.pace
    const at = this.#problem === null ? this.#seen?.at : this.#problemAt
    if (at === undefined || this.#age(at) < soonMs || (this.#problem === null && this.free > 0)) return
    if (this.#leftAloneUntil > this.#context.clock.monotonic()) return
    this.#isOutdated = true
    this.#hurry()
  }

  #hurry(): void {
    this.#pauseMs = this.#context.pace.soonMs
    this.#nextLookAt = 0
  }

  /** Something changed in the key file: whoever was refused may be let in now. */
  #minded(): void {
    if (!this.breaker.keyRefused || !this.breaker.keyIs(keyFingerprint(this.entry))) return
    this.#problem = null
    this.#hurry()
    this.#context.breakerChanged()
    this.#context.changed()
  }

  async #ask(): Promise<void> {
    const own = this.#own
    try {
      const look = this.breaker.state === 'closed' ? await this.#tries() : await this.breaker.probe(() => this.#tries())
      this.learn(look, own)
    } catch (error) {
      const fault =
        error instanceof WorkerFault ? error : new WorkerFault('protocol', 'BAD_ENTRY', (error as Error).message)
      if (this.#context.closing.aborted) return
      if (this.breaker.state === 'closed') this.breaker.failed(fault)
      this.fail(fault)
    }
  }

  #tries(): Promise<WorkerLook> {
    return askWorker(
      () => this.way(),
      this.#context,
      (tries) => {
        this.#triesMade = tries
      },
    )
  }

  /** @param own attempts of this queue that were there when the worker was asked */
  learn(look: WorkerLook, own: number = this.#own): void {
    const { clock, pace } = this.#context
    this.#seen = { look, at: clock.monotonic(), own }
    this.#last = { look, wallAt: clock.now() }
    this.#problem = null
    this.#full = false
    this.#isOutdated = false
    const ready = look.slots.free > 0
    this.#pauseMs = ready ? Math.floor(pace.freshMs / 2) : this.#grown()
    this.#nextLookAt = clock.monotonic() + this.#pauseMs
    if (ready) this.#pauseMs = pace.soonMs
  }

  /** A person had it asked, and it answered: whatever was held against it is over. */
  proved(look: WorkerLook, own: number): void {
    this.breaker.reset()
    this.#context.breakerChanged()
    this.#pauseMs = this.#context.pace.soonMs
    this.learn(look, own)
  }

  /** A look, or a test, failed. */
  fail(fault: WorkerFault, tries: number = this.#triesMade): void {
    const { clock } = this.#context
    this.#seen = null
    this.#problem = { fault, tries: Math.max(1, tries) }
    this.#problemAt = clock.monotonic()
    this.#isOutdated = false
    if (fault.kind === 'key_refused') this.#refuseKey()
    this.#lookAfter(this.#pauseMs, fault)
    this.#pauseMs = this.#grown()
  }

  #grown(): number {
    return Math.min(this.#pauseMs * 2, this.#context.pace.lateMs)
  }

  #lookAfter(pauseMs: number, fault: WorkerFault): void {
    const now = this.#context.clock.monotonic()
    this.#leftAloneUntil = now + (fault.retryAfterMs ?? 0)
    this.#nextLookAt = Math.max(now + pauseMs, this.#leftAloneUntil)
  }

  #refuseKey(): void {
    this.breaker.refuseKey(keyFingerprint(this.entry))
    this.#context.breakerChanged()
  }

  /** What a request of an attempt gave. */
  report(fault: WorkerFault): void {
    // By this side.
    if (fault.code === 'ABORTED') return
    const { clock } = this.#context
    this.breaker.failed(fault)
    if (fault.kind === 'busy' || fault.kind === 'slow_down') {
      this.#full = true
      this.#lookAfter(this.#context.pace.soonMs, fault)
    } else if (fault.kind === 'key_refused' || fault.kind === 'key_missing' || fault.kind === 'tls') {
      this.fail(fault, 1)
    } else if (fault.kind === 'not_sent' || fault.kind === 'ambiguous' || fault.kind === 'server_error') {
      // What was known is not worth much any more; the next look tells.
      this.#seen = null
      this.#nextLookAt = Math.min(this.#nextLookAt, clock.monotonic())
    }
    this.#context.changed()
  }

  /** An answer is a sign of life. */
  alive(): void {
    this.breaker.succeeded()
    if (this.#seen !== null) this.#seen = { ...this.#seen, at: this.#context.clock.monotonic() }
  }

  /** Lets requests under way end. */
  retire(): void {
    this.#way?.way.channel.retire()
    this.#way = null
  }

  async close(): Promise<void> {
    await this.#way?.way.channel.close()
    this.#way = null
    await this.#asking
  }
}
