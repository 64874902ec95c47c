import type { Fence, Json, JsonObject } from '../job.ts'
import type { AttemptControl, AttemptObserver } from './attempt.ts'

/** The code of a job type, as a thread loads it. */
export interface HandlerCode {
  readonly type: string
  /** Absolute path of its module. */
  readonly file: string
  /** Changes whenever the code may have changed: threads that loaded another revision take no new attempt. */
  readonly revision: string
  /** True: a thread runs one attempt after the other. False: each has a thread of its own, made for it. */
  readonly reusable: boolean
  /** Largest heap of a thread, MB. */
  readonly heapMegabytes: number
}

/** What the attempts of one job share; handed over once. */
export interface HandlerJob {
  readonly jobId: string
  readonly handler: HandlerCode
  readonly params: JsonObject
  /** Id, state and result of the jobs it depended on, by name. */
  readonly dependencies: JsonObject
  /** The submitting client's environment and directory: for the processes a handler spawns. */
  readonly environment: Readonly<Record<string, string>>
  readonly cwd: string | null
  readonly unitTimeoutMs: number | null
  readonly idleTimeoutMs: number | null
  readonly cancelGraceMs: number
  readonly maxOutputBytes: number
}

/** One unit of it. */
export interface HandlerTask {
  readonly fence: Fence
  /** Undefined: a plain job has none. */
  readonly unit: Json | undefined
  readonly position: number
  /** What an earlier attempt left. */
  readonly checkpoint: Json | undefined
  /** File with all results, for a final step. */
  readonly resultsFile: string | null
  /** Of its random numbers, 32 bits; left out: that of its unit. */
  readonly seed?: number | undefined
  /** What it is to compute on; `gpu` only on a GPU worker that has one. */
  readonly compute: 'cpu' | 'gpu'
  /** True: an earlier attempt was lost together with others; it runs in a host where nothing else runs. */
  readonly alone: boolean
}

export interface HandlerStart {
  readonly task: HandlerTask
  readonly observer: AttemptObserver
}

export interface ThreadHostStatus {
  readonly pid: number
  readonly threads: number
  readonly attempts: number
  /** Null until it has told. */
  readonly rssBytes: number | null
}

/** Runs handlers in threads of processes that survive the manager. */
export interface ThreadExecutor {
  /**
   * Finds the hosts of earlier managers: connects to those that live, and ends those that do not answer within 2 s. Before the
   * first `adopt`.
   */
  open(): Promise<void>
  /** Hands attempts over; the claims are committed. Never throws: what goes wrong is told through `ended`. */
  start(job: HandlerJob, starts: readonly HandlerStart[]): readonly AttemptControl[]
  /**
   * Takes over an attempt of an earlier manager: its host lives → goes on, or its end is told; the host is gone and left a
   * record of its end → that; else it ends as `released` (never handed over) or `lost`.
   * @param elapsedMs as last stored
   */
  adopt(fence: Fence, elapsedMs: number, observer: AttemptObserver): AttemptControl
  /**
   * Every attempt that an earlier manager left was given to `adopt`: what hosts have beside these is stopped, and what hosts that
   * are gone left unended is judged, all attempts of a host together. Until then no such end is told.
   */
  adopted(): void
  /** The ends of these attempts are committed, or were refused by the fence: their hosts may forget them. */
  acknowledge(fences: readonly Fence[]): void
  /** So many units of that type one slot takes at once: more than one when they are over in no time. */
  unitsPerSlot(type: string): number
  /** Starts a host when there is none, so that the first attempt need not wait for it. */
  warm(): void
  status(): readonly ThreadHostStatus[]
  /** Stops watching without touching any host: the next manager adopts them. Hosts without an attempt are told to end. */
  detach(): void
}
