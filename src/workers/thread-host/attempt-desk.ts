import { attemptDirectory } from '../../config/paths.ts'
import type { StopReason } from '../../domain/ports/attempt.ts'
import type { EndedAttempt, WireRun } from '../threads/protocol.ts'
import { concludeAttempt, type EndFacts, endedText, endUnbegun, isEndOf } from './attempt-ender.ts'
import { AttemptPrograms, endMarked } from './attempt-programs.ts'
import { attemptMarks } from './attempt-marks.ts'
import { failure } from './failure.ts'
import { HostAttempt, type Verdict } from './host-attempt.ts'
import type { HostContext } from './host-context.ts'
import type { HostJob } from './job-book.ts'
import { OutputCare } from './output-care.ts'
import type { PoolThread, ThreadDeath } from './pool-thread.ts'
import { hasStrayChildren } from './stray-children.ts'
import { blameFor } from './thread-death.ts'
import { endFlags, type FromThread } from './thread-messages.ts'
import { ThreadPool } from './thread-pool.ts'

/** Between TERM and KILL of what a handler started past `ctx.spawn`. */
const strayGraceMs = 500

/** All attempts in the host that have not ended: each is handed to a thread, and its end is told exactly once. */
export class AttemptDesk {
  readonly pool: ThreadPool
  readonly #context: HostContext
  readonly #attempts = new Map<string, HostAttempt>()
  /** Whose thread is being ended after it has told how it ended. */
  readonly #concluding = new Map<PoolThread, { readonly attempt: HostAttempt; readonly facts: EndFacts }>()

  constructor(context: HostContext) {
    this.#context = context
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

  directory(attempt: HostAttempt): string {
    const { unit_id: unitId, attempt: number, nonce } = attempt.item
    return attemptDirectory(this.#context.order, { unitId, attempt: number, nonce })
  }

  /** Looks after the output of an attempt, and lets it write on. */
  care(attempt: HostAttempt): void {
    const { thread, job } = attempt
    if (attempt.phase !== 'handed' || thread === null) return
    const log = { debug: () => undefined, warn: this.#context.logDetails, error: this.#context.logDetails }
    attempt.output ??= new OutputCare(this.directory(attempt), job.max_output_bytes, log)
    const written = thread.control.written()
    const room = attempt.output.look()
    if (room > 0 && thread.control.current() === attempt.seq) thread.control.allow(written + room)
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
      case 'output': {
        const attempt = thread.handed.get(message.seq)
        if (attempt !== undefined) this.care(attempt)
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
        if (attempt !== undefined) this.#programsOf(attempt, thread).start(message)
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
      if (verdict !== null || isEndOf(attempt, text)) this.#conclude(attempt, { text, verdict, gone, elapsedMs })
      else this.#conclude(attempt, { text: null, verdict: unreadable, gone, elapsedMs })
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
      if (verdict !== null) this.#conclude(attempt, { text: null, verdict, gone: null, elapsedMs })
      else {
        const message = 'what an earlier attempt left running in the same thread ended it'
        this.#finish(attempt, endedText(attempt.key, { kind: 'released', message, backOff: false, elapsedMs }))
      }
    }
    this.pool.takeBack(thread)
    for (const left of [...thread.handed.values()]) this.#fail(left, thread)
    this.pool.wasGone(thread, death.kind !== 'terminated' && !concluding)
  }

  /** Told to be done with all it was given, a thread has left one out. */
  #fail(attempt: HostAttempt, thread: PoolThread): void {
    thread.handed.delete(attempt.seq)
    const verdict = attempt.verdict ?? failure('internal', 'the end of the attempt was not told', 'policy')
    this.#conclude(attempt, { text: null, verdict, gone: null, elapsedMs: 0 })
  }

  #conclude(attempt: HostAttempt, given: Omit<EndFacts, 'endStrays'>): void {
    const facts = { ...given, endStrays: () => this.#endStrays(attempt) }
    const { text, verdict, gone } = facts
    attempt.phase = 'ending'
    if (text !== null && verdict === null && gone === null && attempt.output === null && attempt.programs === null) {
      this.#finish(attempt, text)
      return
    }
    if (gone !== null && attempt.thread !== null) this.#concluding.set(attempt.thread, { attempt, facts })
    concludeAttempt(attempt, this.directory(attempt), facts).then(
      (whole) => this.#finish(attempt, whole),
      (error: unknown) => this.#context.log(`the end of ${attempt.key} cannot be told: ${String(error)}`),
    )
  }

  #finish(attempt: HostAttempt, text: string): void {
    if (attempt.phase === 'ended') return
    attempt.phase = 'ended'
    attempt.thread = null
    this.#attempts.delete(attempt.key)
    this.#context.news.ended(attempt.key, text)
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
      const endStrays = () => Promise.resolve([])
      attempt.programs = null
      attempt.phase = 'ended'
      const text = await concludeAttempt(attempt, this.directory(attempt), { ...facts, gone: null, endStrays })
      culprit = JSON.parse(text)
    }
    this.#context.dies('stuck', 'a thread could not be ended', culprit)
  }

  #endStrays(attempt: HostAttempt): Promise<readonly number[]> {
    const known = [...this.#attempts.values()].flatMap((one) => one.programs?.pids ?? [])
    if (!hasStrayChildren(new Set(known))) return Promise.resolve([])
    const { mark } = attemptMarks(this.#context.order, attempt.job.job_id, attempt.item)
    return endMarked(this.#context.killer, mark, strayGraceMs)
  }

  #programsOf(attempt: HostAttempt, thread: PoolThread): AttemptPrograms {
    attempt.programs ??= new AttemptPrograms({
      directory: this.directory(attempt),
      cwd: attempt.job.cwd,
      environment: attempt.job.environment,
      killer: this.#context.killer,
      send: (message) => thread.isGone || thread.send(message),
      touch: () => thread.control.touch(),
      mayWrite: () => {
        this.care(attempt)
        return attempt.output === null || attempt.output.look() > 0
      },
      ...attemptMarks(this.#context.order, attempt.job.job_id, attempt.item),
    })
    return attempt.programs
  }
}

const unreadable = failure(
  'handler_failed',
  'the handler changed built-in objects so that its end could not be told',
  'policy',
)
