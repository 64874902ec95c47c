import type { StopReason } from '../../domain/ports/attempt.ts'
import type { Device } from '../../domain/wire/prediction.ts'
import { checkedDevice } from '../../handler/device.ts'
import type { EndedAttempt, WireRun } from '../threads/protocol.ts'
import { concludeAttempt, type EndFacts, endedText, endUnbegun, isEndOf, withDevice } from './attempt-ender.ts'
import { aheadBytes } from './attempt-names.ts'
import { AttemptProcesses, directoryOf } from './attempt-processes.ts'
import { failure } from './failure.ts'
import { HostAttempt, type Verdict } from './host-attempt.ts'
import type { HostContext } from './host-context.ts'
import type { HostJob } from './job-book.ts'
import { OutputCare } from './output-care.ts'
import type { PoolThread, ThreadDeath } from './pool-thread.ts'
import { blameFor } from './thread-death.ts'
import { endFlags, type FromThread } from './thread-messages.ts'
import { ThreadPool } from './thread-pool.ts'

/** Characters. A result within it has 256 KiB at most, and thousands of artifacts fit. */
const longestEnd = 4 * 1024 * 1024
/** Between two looks at an output that is being shortened. */
const shorteningMs = 2

/** All attempts in the host that have not ended: each is handed to a thread, and its end is told exactly once. */
export class AttemptDesk {
  readonly pool: ThreadPool
  readonly #context: HostContext
  readonly #attempts = new Map<string, HostAttempt>()
  readonly #processes: AttemptProcesses
  /** Whose thread is being ended after it has told how it ended. */
  readonly #concluding = new Map<PoolThread, { readonly attempt: HostAttempt; readonly facts: EndFacts }>()

  constructor(context: HostContext) {
    this.#context = context
    this.#processes = new AttemptProcesses(
      context,
      () => this.#attempts.values(),
      (attempt) => this.care(attempt) > 0,
    )
    const { order, environment, clock } = context
    this.pool = new ThreadPool({
      threads: order.threads,
      now: clock,
      cannotStart: (error) => context.log(`no thread can be started: ${String(error)}`),
      thread: {
        attempts: order.attempts,
        environment,
        terminateMs: order.terminate_ms,
        events: {
          told: (thread, message) => this.#told(thread, message),
          gone: (thread, death) => this.#gone(thread, death),
          stuck: (thread) => void this.#stuck(thread),
        },
      },
    })
  }

  /** Not ended, in the order of their arrival. */
  get attempts(): ReadonlyMap<string, HostAttempt> {
    return this.#attempts
  }

  run(job: HostJob, items: readonly WireRun[]): void {
    for (const item of items) {
      // A manager that is not sure whether it handed an attempt over may do so again.
      if (this.#attempts.has(item.key) || this.#context.book.has(item.key)) continue
      const attempt = new HostAttempt(job, item)
      this.#attempts.set(item.key, attempt)
      this.pool.queue.push(attempt)
    }
    this.pool.pump()
  }

  stop(key: string, reason: StopReason): void {
    const attempt = this.#attempts.get(key)
    if (attempt === undefined) return
    const { verdict } = attempt
    // A cancel is stronger than a release; any other first reason stays.
    if (verdict?.kind === 'stopped' && verdict.reason === 'release') attempt.verdict = { kind: 'stopped', reason }
    else if (verdict === null) this.end(attempt, { kind: 'stopped', reason })
  }

  /** Ends an attempt: at once when it has not begun; else it is asked, has its grace, and is ended by force. */
  end(attempt: HostAttempt, verdict: Verdict, graceMs = attempt.job.cancel_grace_ms): void {
    const { thread } = attempt
    const elapsedMs = attempt.elapsedMs(this.#context.clock())
    if (thread !== null) {
      this.pool.takeBack(thread)
      // What loads for ever would hold its thread for ever.
      if (attempt.phase === 'waiting' && !thread.isLoaded) void thread.end()
    }
    if (attempt.phase === 'waiting') {
      this.#finish(attempt, endUnbegun(attempt.key, verdict, elapsedMs))
      this.pool.pump()
      return
    }
    if (attempt.phase !== 'handed' || thread === null) return
    attempt.verdict = verdict
    thread.abort(attempt)
    void attempt.programs?.end(graceMs)
    if (graceMs === 0) void thread.end()
    else setTimeout(() => attempt.phase === 'handed' && void thread.end(), graceMs)
  }

  /** Gives back what has not begun. */
  releaseWaiting(message: string): void {
    for (const thread of this.pool.threads) this.pool.takeBack(thread)
    for (const attempt of this.#attempts.values())
      if (attempt.phase === 'waiting') this.#finish(attempt, endUnbegun(attempt.key, { kind: 'released', message }))
  }

  /**
   * Looks after the output of an attempt: its writer stands still while it is shortened.
   * @returns bytes that may be written before the next look
   */
  care(attempt: HostAttempt): number {
    const { thread, job } = attempt
    if (attempt.phase !== 'handed' || thread === null) return aheadBytes
    const log = { debug: () => undefined, warn: this.#context.logDetails, error: this.#context.logDetails }
    attempt.output ??= new OutputCare(directoryOf(this.#context, attempt), job.max_output_bytes, log)
    const allow = (bytes: number): void => {
      if (thread.control.current() === attempt.seq) thread.control.allow(thread.control.written() + bytes)
    }
    allow(0)
    const room = attempt.output.look()
    if (room > 0) allow(room)
    else this.#careSoon(attempt)
    return room
  }

  #careSoon(attempt: HostAttempt): void {
    attempt.careTimer ??= setTimeout(() => {
      attempt.careTimer = null
      this.care(attempt)
    }, shorteningMs)
  }

  #told(thread: PoolThread, message: FromThread): void {
    switch (message.kind) {
      case 'ended':
        this.#ended(thread, message)
        break
      case 'progress': {
        const attempt = thread.handed.get(message.seq)
        if (attempt === undefined) return
        attempt.progress = message.progress
        this.#context.news.progressed(attempt.key, message.progress, message.elapsedMs)
        break
      }
      case 'device': {
        const attempt = thread.handed.get(message.seq)
        if (attempt !== undefined) this.#computesOn(attempt, message.device)
        break
      }
      case 'output': {
        const attempt = thread.handed.get(message.seq)
        if (attempt !== undefined) void this.care(attempt)
        break
      }
      case 'loaded':
        this.#loaded(thread, message.problem)
        break
      case 'worn':
        this.#context.log(`a thread is replaced: ${message.reason}`)
        thread.isUsable = false
        this.pool.takeBack(thread)
        if (!thread.isBusy) void thread.end()
        break
      case 'spawn': {
        const attempt = thread.handed.get(message.seq)
        if (attempt !== undefined) this.#processes.programsOf(attempt, thread).start(message)
        break
      }
      case 'child_taken':
        for (const attempt of thread.handed.values()) attempt.programs?.taken(message.id, message.length)
        break
      case 'child_kill':
        for (const attempt of thread.handed.values()) attempt.programs?.kill(message.id)
        break
      case 'exit':
        break
    }
  }

  #computesOn(attempt: HostAttempt, { name, kind }: Device): void {
    try {
      // Foreign code may have changed what it was checked with in its thread.
      attempt.device = checkedDevice(name, kind)
    } catch {
      return
    }
    this.#context.news.computesOn(attempt.key, attempt.device)
  }

  #ended(thread: PoolThread, { seqs, texts, flags, idle }: Extract<FromThread, { kind: 'ended' }>): void {
    let gone: Promise<void> | null = null
    for (const [at, seq] of seqs.entries()) {
      const attempt = thread.handed.get(seq)
      const text = texts[at]
      if (attempt === undefined || text === undefined) continue
      const elapsedMs = attempt.elapsedMs(this.#context.clock())
      thread.handed.delete(seq)
      const flag = flags[at] ?? 0
      if ((flag & endFlags.fatal) !== 0 || !attempt.job.code.reusable) {
        this.pool.takeBack(thread)
        gone = thread.end()
      }
      const verdict = (flag & endFlags.afterStop) === 0 ? null : attempt.verdict
      const isEnd = isEndOf(attempt, text)
      if ((!isEnd || text.length > longestEnd) && gone === null) {
        // Nothing that it says from now on can be trusted.
        thread.isSpoiled = true
        this.#context.log(`a thread is replaced: how ${attempt.key} ended cannot be told`)
        this.pool.takeBack(thread)
        gone = thread.end()
      }
      if (isEnd) this.#conclude(attempt, { text, verdict, gone, elapsedMs })
      else this.#conclude(attempt, { text: null, verdict: verdict ?? unreadable, gone, elapsedMs })
    }
    if (idle && gone === null) this.pool.becameIdle(thread)
  }

  #loaded(thread: PoolThread, problem: string | null): void {
    thread.isLoaded = true
    if (problem === null) return
    thread.isUsable = false
    if (thread.isBusy) return
    this.#context.log(`cannot be loaded ahead: ${problem}`)
    this.pool.markBadSpare(thread)
    void thread.end()
  }

  #gone(thread: PoolThread, death: ThreadDeath): void {
    const concluding = this.#concluding.delete(thread)
    const { attempt, failure: fault } = blameFor(thread, death)
    if (attempt !== undefined) {
      const elapsedMs = attempt.elapsedMs(this.#context.clock())
      thread.handed.delete(attempt.seq)
      const verdict = attempt.verdict ?? fault
      if (verdict.kind === 'released') this.#finish(attempt, endedText(attempt.key, { ...verdict, elapsedMs }))
      else this.#conclude(attempt, { text: null, verdict, gone: null, elapsedMs })
    }
    this.pool.takeBack(thread)
    for (const left of [...thread.handed.values()]) this.#giveBack(left, thread)
    this.pool.wasGone(thread, death.kind !== 'terminated' && !concluding)
  }

  /** It was over, but its end was lost with the thread, which died of another: that is no fault of its own. */
  #giveBack(attempt: HostAttempt, thread: PoolThread): void {
    thread.handed.delete(attempt.seq)
    if (attempt.verdict !== null) {
      this.#conclude(attempt, { text: null, verdict: attempt.verdict, gone: null, elapsedMs: 0 })
      return
    }
    const message = 'its end was lost with its thread, which another attempt ended'
    this.#finish(attempt, endedText(attempt.key, { kind: 'released', message, backOff: false, elapsedMs: 0 }))
  }

  #conclude(attempt: HostAttempt, given: Omit<EndFacts, 'endLeftovers'>): void {
    const facts = { ...given, endLeftovers: () => this.#processes.endLeftovers(attempt) }
    const { text, verdict, gone } = facts
    attempt.phase = 'ending'
    if (text !== null && verdict === null && gone === null && attempt.output === null && attempt.programs === null) {
      this.#finish(attempt, text)
      return
    }
    if (gone !== null && attempt.thread !== null) this.#concluding.set(attempt.thread, { attempt, facts })
    concludeAttempt(attempt, directoryOf(this.#context, attempt), facts).then(
      (whole) => this.#finish(attempt, whole),
      (error: unknown) => {
        this.#context.log(`the end of ${attempt.key} is not whole: ${String(error)}`)
        this.#finish(attempt, endUnbegun(attempt.key, verdict ?? unreadable, given.elapsedMs))
      },
    )
  }

  #finish(attempt: HostAttempt, text: string): void {
    if (attempt.phase === 'ended') return
    const elapsedMs = text.length > longestEnd ? attempt.elapsedMs(this.#context.clock()) : 0
    attempt.phase = 'ended'
    attempt.thread = null
    this.#attempts.delete(attempt.key)
    const told = text.length > longestEnd ? endUnbegun(attempt.key, tooLongEnd(text), elapsedMs) : text
    this.#context.news.ended(attempt.key, attempt.device === null ? told : withDevice(told, attempt.device))
    this.#context.ended()
  }

  async #stuck(thread: PoolThread): Promise<void> {
    const known = this.#concluding.get(thread)
    const attempt = known?.attempt ?? [...thread.handed.values()].find((one) => one.verdict !== null)
    let culprit: EndedAttempt | null = null
    if (attempt !== undefined) {
      const elapsedMs = attempt.elapsedMs(this.#context.clock())
      const facts = known?.facts ?? { text: null, verdict: attempt.verdict, elapsedMs }
      // Its processes are ended by whoever finds this host gone.
      const endLeftovers = () => Promise.resolve([])
      attempt.programs = null
      attempt.phase = 'ended'
      const text = await concludeAttempt(attempt, directoryOf(this.#context, attempt), {
        ...facts,
        gone: null,
        endLeftovers,
      })
      culprit = JSON.parse(text)
    }
    this.#context.dies('stuck', 'a thread could not be ended', culprit)
  }
}

function tooLongEnd(text: string): Verdict {
  const size = `${Math.ceil(text.length / 1024 ** 2)} MiB`
  return failure(
    'internal',
    `what is to be told of its end has ${size}, its artifacts included: that is too much`,
    'policy',
  )
}

const unreadable = failure(
  'handler_failed',
  'the handler changed built-in objects so that its end could not be told',
  'policy',
)
