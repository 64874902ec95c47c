import { readProcessActivity } from '../../platform/process-activity.ts'
import { Silence } from '../../platform/silence.ts'
import type { HostContext } from './host-context.ts'
import { noteStuck } from './host-files.ts'
import type { ThreadAttempt } from './thread-attempt.ts'

/** Grace of an attempt that an earlier manager handed over: the longest that a submit may ask for. */
const unknownGraceMs = 60_000
const longestTickMs = 1_000

/** The host that is listened to. */
export interface Patient {
  readonly life: { readonly identity: { readonly pid: number } }
  readonly directory: string
  readonly isConnected: boolean
  readonly attempts: ReadonlyMap<string, ThreadAttempt>
  ping(id: number): void
  kill(why: string, endedFor?: string | null): Promise<void>
}

interface Stopping {
  readonly attempt: ThreadAttempt
  by: number
  /** Set once it is overdue. */
  silence: Silence | null
}

/** Asks a host that has attempts for signs of life, and sees to it that what was told to stop does. */
export class HostPulse {
  /** As it said last; null: not yet. */
  rssBytes: number | null = null
  readonly #context: HostContext
  readonly #patient: Patient
  readonly #silence: Silence
  readonly #stopping = new Map<string, Stopping>()
  #timer: NodeJS.Timeout | null = null
  #pings = 0
  #askedAt = 0
  #isAnswered = true

  constructor(context: HostContext, patient: Patient) {
    this.#context = context
    this.#patient = patient
    this.#silence = this.#newSilence()
  }

  /** Pings sent until now. */
  get pings(): number {
    return this.#pings
  }

  /** It has an attempt: it is looked after until it has none. */
  watch(): void {
    const { pingMs } = this.#context.pace
    this.#timer ??= setInterval(() => this.#look(), Math.max(5, Math.min(longestTickMs, pingMs / 4))).unref()
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
    this.#stopping.clear()
  }

  ask(): void {
    this.#pings += 1
    this.#askedAt = this.#context.clock.monotonic()
    this.#isAnswered = false
    this.#patient.ping(this.#pings)
  }

  /** It said anything at all. */
  heard(): void {
    this.#isAnswered = true
    this.#silence.reset()
  }

  answered(rssBytes: number): void {
    this.rssBytes = rssBytes
  }

  /** An attempt was told to stop: its host has to say in time that it did. @param graceMs null: not known here */
  expectStop(attempt: ThreadAttempt, graceMs: number | null): void {
    const { settings, clock } = this.#context
    const by = clock.monotonic() + (graceMs ?? unknownGraceMs) + settings.terminateMs
    if (!this.#stopping.has(attempt.key)) this.#stopping.set(attempt.key, { attempt, by, silence: null })
    this.watch()
  }

  #newSilence(): Silence {
    const { pid } = this.#patient.life.identity
    return new Silence(() => readProcessActivity(pid))
  }

  #look(): void {
    if (this.#context.detached() || this.#patient.attempts.size === 0) {
      this.stop()
      return
    }
    if (this.#patient.isConnected) this.#checkAnswer()
    this.#checkStops()
  }

  #checkAnswer(): void {
    const { clock, pace } = this.#context
    const waitedMs = clock.monotonic() - this.#askedAt
    if (waitedMs < pace.pingMs) return
    if (!this.#isAnswered && this.#silence.add(pace.pingMs, waitedMs) * pace.pingMs >= pace.silentMs) {
      void this.#patient.kill(`it answered nothing for ${Math.round(pace.silentMs / 1_000)} s`)
    }
    this.ask()
  }

  #checkStops(): void {
    const { clock, pace } = this.#context
    const now = clock.monotonic()
    for (const [key, stopping] of this.#stopping) {
      if (stopping.attempt.hasEnded) this.#stopping.delete(key)
      else if (now >= stopping.by) {
        // From here on it has a last delay; longer when it waits for a processor.
        if (stopping.silence !== null && stopping.silence.add(pace.stopMs, pace.stopMs) > 0) {
          this.#giveUpOn(stopping.attempt)
        }
        stopping.silence ??= this.#newSilence()
        stopping.by = now + pace.stopMs
      }
    }
  }

  #giveUpOn(attempt: ThreadAttempt): void {
    const endedFor = 'an attempt in it was told to stop and did not'
    noteStuck(this.#patient.directory, attempt, endedFor)
    void this.#patient.kill(`the attempt ${attempt.key} in it was told to stop and did not`, endedFor)
  }
}
