import type { Progress } from '../../domain/job.ts'
import type { AttemptEnd } from '../../domain/ports/attempt.ts'
import type { Device } from '../../domain/wire/prediction.ts'
import type { WireRun } from '../threads/protocol.ts'
import type { AttemptPrograms } from './attempt-programs.ts'
import type { HostJob } from './job-book.ts'
import type { OutputCare } from './output-care.ts'
import type { PoolThread } from './pool-thread.ts'

type EndOf<Kind extends AttemptEnd['kind']> = Extract<AttemptEnd, { kind: Kind }>

/** How an attempt ends because the host ended it, whatever its handler says. */
export type Verdict =
  | Pick<EndOf<'stopped'>, 'kind' | 'reason'>
  | Pick<EndOf<'timed_out'>, 'kind' | 'which' | 'limitMs'>
  | Pick<EndOf<'failed'>, 'kind' | 'error' | 'retry'>

/** One attempt in the host's main thread. */
export class HostAttempt {
  readonly job: HostJob
  readonly item: WireRun
  phase: 'waiting' | 'handed' | 'ending' | 'ended' = 'waiting'
  thread: PoolThread | null = null
  /** Names it within its thread. */
  seq = 0
  /** Monotonic ms. */
  handedAt = 0
  verdict: Verdict | null = null
  /** State of its thread's signs of life when they were last looked at, and monotonic ms of the last one. */
  activity = -1
  activeAt = 0
  progress: Progress | null = null
  /** What its handler said it computes on. */
  device: Device | null = null
  /** Null: it wrote little. */
  output: OutputCare | null = null
  careTimer: NodeJS.Timeout | null = null
  /** Null: it started none. */
  programs: AttemptPrograms | null = null

  constructor(job: HostJob, item: WireRun) {
    this.job = job
    this.item = item
  }

  get key(): string {
    return this.item.key
  }

  /** True once its handler may have begun. */
  get hasBegun(): boolean {
    return this.thread !== null && this.thread.control.current() >= this.seq
  }

  /** @returns ms that it has run: the time in which its code is loaded counts, that in which a thread is made does not */
  elapsedMs(now: number): number {
    if (this.thread === null) return 0
    const { control } = this.thread
    const bootedAt = control.bootedAt()
    if (bootedAt === 0) return 0
    if (control.current() === this.seq) return Math.max(0, Math.round(now - control.startedAt()))
    // Behind another it waits.
    if (this.thread.handed.has(control.current())) return 0
    return Math.max(0, Math.round(now - Math.max(this.handedAt, bootedAt)))
  }
}
