import { endFlags, type ThreadItem } from '../thread-messages.ts'
import { AttemptRun } from './attempt-run.ts'
import { monotonicMs, startTimer, stopTimer } from './intrinsics.ts'
import { type RunEnd, runAttempt } from './run-attempt.ts'
import type { ThreadState } from './thread-state.ts'

/** Ends are told together; none waits longer than this for the next. */
const tellEveryMs = 5

/** Runs attempts one after the other, and tells their ends. What was taken back meanwhile is left out. */
export async function runItems(thread: ThreadState, items: readonly ThreadItem[]): Promise<void> {
  const ends = new EndBatch(thread)
  for (const item of items) {
    const now = monotonicMs()
    const job = thread.jobs.get(item.job_key)
    if (job === undefined || !thread.control.begin(item.seq, now)) break
    thread.current = new AttemptRun(thread, item, job, now)
    if (thread.code?.reusable === false) markEnvironment(item, job.wire.job_id)
    const end = await runAttempt(thread, thread.current)
    thread.current = null
    ends.add(item.seq, end)
    if ((end.flags & endFlags.fatal) !== 0) {
      ends.tell(false)
      return
    }
  }
  ends.tell(true)
}

class EndBatch {
  readonly #thread: ThreadState
  #seqs: number[] = []
  #texts: string[] = []
  #flags: number[] = []
  #toldAt = monotonicMs()
  /** The next attempt may take long; it is told of this one while it waits for something. */
  #timer: NodeJS.Timeout | null = null

  constructor(thread: ThreadState) {
    this.#thread = thread
  }

  add(seq: number, { text, flags }: RunEnd): void {
    this.#seqs.push(seq)
    this.#texts.push(text)
    this.#flags.push(flags)
    if (monotonicMs() - this.#toldAt >= tellEveryMs) {
      this.tell(false)
      return
    }
    this.#thread.tellEnds ??= () => this.tell(false)
    this.#timer ??= startTimer(() => this.tell(false), tellEveryMs)
  }

  /** @param idle true: nothing is left to run */
  tell(idle: boolean): void {
    if (this.#seqs.length > 0 || idle)
      this.#thread.post({ kind: 'ended', seqs: this.#seqs, texts: this.#texts, flags: this.#flags, idle })
    if (this.#timer !== null) stopTimer(this.#timer)
    this.#timer = null
    this.#thread.tellEnds = null
    this.#seqs = []
    this.#texts = []
    this.#flags = []
    this.#toldAt = monotonicMs()
  }
}

/** What a handler starts by itself, past `ctx.spawn`, is known as the attempt's, too. */
function markEnvironment(item: ThreadItem, jobId: string): void {
  Object.assign(process.env, {
    NIGHTKILN_JOB_ID: jobId,
    NIGHTKILN_ATTEMPT_UNIT: item.unit_id,
    NIGHTKILN_ATTEMPT: String(item.attempt),
    NIGHTKILN_FENCE: `${item.attempt}.${item.nonce}`,
  })
}
