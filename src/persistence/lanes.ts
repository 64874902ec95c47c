import type { Statement } from 'better-sqlite3'
import { QueueError } from '../domain/errors.ts'
import type { RateLimit } from '../domain/job.ts'
import type { Lane, LaneHold, Queue } from '../domain/ports/lane-store.ts'
import type { ChangeNotes } from './change-notes.ts'
import type { Binds, Prepare } from './statement-loader.ts'

interface QueueRow {
  name: string
  concurrency: number | null
  rate_limit_count: number | null
  rate_limit_window_ms: number | null
  paused_at: number | null
}

/** Queues, their limits, and what holds their lanes. */
export class Lanes {
  readonly #notes: ChangeNotes
  readonly #hold: Statement<[Binds]>
  readonly #forgetHolds: Statement<[Binds]>
  readonly #endHolds: Statement<[Binds]>
  readonly #endDeferrals: Statement<[Binds]>
  readonly #readHolds: Statement<[Binds], LaneHold>
  readonly #forgetStarts: Statement<[Binds]>
  readonly #readStarts: Statement<[Binds], Lane & { startedAt: number }>
  readonly #ensure: Statement<[Binds]>
  readonly #update: Statement<[Binds]>
  readonly #read: Statement<[Binds], QueueRow>
  readonly #readAll: Statement<[Binds], QueueRow>

  constructor(prepare: Prepare, notes: ChangeNotes) {
    this.#notes = notes
    this.#hold = prepare('hold_lane')
    this.#forgetHolds = prepare('forget_lane_holds')
    this.#endHolds = prepare('end_lane_holds')
    this.#endDeferrals = prepare('end_deferrals')
    this.#readHolds = prepare<LaneHold>('read_lane_holds')
    this.#forgetStarts = prepare('forget_lane_starts')
    this.#readStarts = prepare<Lane & { startedAt: number }>('read_lane_starts')
    this.#ensure = prepare('ensure_queue')
    this.#update = prepare('update_queue')
    this.#read = prepare<QueueRow>('read_queue')
    this.#readAll = prepare<QueueRow>('read_queues')
  }

  hold(hold: LaneHold, now: number): void {
    this.#forgetHolds.run({ now })
    this.#hold.run({ queue: hold.queue, key: hold.key, until: hold.until, reason: hold.reason })
  }

  endHolds(queue: string, now: number): { readonly holds: number; readonly units: number } {
    const holds = this.#endHolds.run({ queue, now }).changes
    return { holds, units: this.#endDeferrals.run({ queue, now }).changes }
  }

  readHolds(now: number): LaneHold[] {
    return this.#readHolds.all({ now })
  }

  readStarts(since: number): (Lane & { startedAt: number })[] {
    this.#forgetStarts.run({ since })
    return this.#readStarts.all({ since })
  }

  update(
    name: string,
    changes: { concurrency?: number | null; rate?: RateLimit | null; paused?: boolean },
    now: number,
  ): Queue {
    this.#ensure.run({ name, now })
    const before = toQueue(this.#readRow(name))
    const rate = changes.rate === undefined ? before.rate : changes.rate
    this.#update.run({
      name,
      concurrency: changes.concurrency === undefined ? before.concurrency : changes.concurrency,
      rate_count: rate?.count ?? null,
      rate_window_ms: rate?.windowMs ?? null,
      paused_at: pausedAt(before.pausedAt, changes.paused, now),
    })
    this.#notes.add({ kind: 'queue', name })
    return toQueue(this.#readRow(name))
  }

  readQueues(): Queue[] {
    return this.#readAll.all({}).map((row) => toQueue(row))
  }

  #readRow(name: string): QueueRow {
    const row = this.#read.get({ name })
    if (row === undefined) throw new QueueError('internal', `queue ${name} vanished within a transaction`)
    return row
  }
}

function pausedAt(before: number | null, paused: boolean | undefined, now: number): number | null {
  if (paused === undefined) return before
  return paused ? (before ?? now) : null
}

function toQueue(row: QueueRow): Queue {
  const { rate_limit_count: count, rate_limit_window_ms: windowMs } = row
  const rate = count === null || windowMs === null ? null : { count, windowMs }
  return { name: row.name, concurrency: row.concurrency, rate, pausedAt: row.paused_at }
}
