import type { Logger } from 'pino'
import type { Clock } from '../../domain/clock.ts'
import { type ErrorRecord, errorKinds } from '../../domain/errors.ts'
import { formatDuration } from '../../domain/format-duration.ts'
import type { GpuOptions } from '../../domain/job.ts'
import type { GpuWaiter } from '../../domain/ports/gpu-store.ts'
import type { JobStore } from '../../domain/ports/job-store.ts'
import type { GpuFleet, GpuNeed, GpuOutlook } from '../../domain/ports/remote-executor.ts'
import type { CommitQueue } from './commit-queue.ts'

export interface GpuWaitsOptions {
  readonly store: JobStore
  readonly commits: CommitQueue
  readonly fleet: GpuFleet
  readonly clock: Clock
  /** Null: its handler is gone or broken; nobody can tell what it needs. */
  readonly needOf: (type: string) => GpuNeed | null
  /** For claims that end at once. */
  readonly claimAs: { readonly workerId: string; readonly createNonce: () => string }
  /** Workers may have places now. */
  readonly onPlaces: () => void
  readonly log: Logger
}

/** Between two looks while anything waits. */
const lookMs = 1_000
const mostJobs = 500
/** Of one job in one commit. */
const mostUnits = 1_000

/**
 * Decides about units that wait for a GPU worker: those that would rather run on one fall back when none is there or none has a
 * place in time; those that need one wait, and fail when their time is over. Nothing is asked of any worker while nothing waits.
 */
export class GpuWaits {
  readonly #options: GpuWaitsOptions
  #timer: NodeJS.Timeout | null = null
  #isLooking = false
  #isWoken = false
  #isStopped = false

  constructor(options: GpuWaitsOptions) {
    this.#options = options
    options.fleet.onChange(() => {
      options.onPlaces()
      this.wake()
    })
  }

  /** Units may wait. */
  wake(): void {
    if (this.#isStopped) return
    this.#isWoken = true
    if (!this.#isLooking) void this.#look()
  }

  stop(): void {
    this.#isStopped = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#options.fleet.want([])
  }

  async #look(): Promise<void> {
    this.#isLooking = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    let waiting = 0
    while (this.#isWoken && !this.#isStopped) {
      this.#isWoken = false
      try {
        waiting = await this.#judgeAll()
      } catch (error) {
        this.#options.log.error({ err: error }, 'units that wait for a GPU worker could not be judged')
        waiting = 1
      }
    }
    this.#isLooking = false
    if (waiting === 0 || this.#isStopped) return
    this.#timer = setTimeout(() => this.wake(), lookMs)
    this.#timer.unref()
  }

  /** @returns how many jobs still wait */
  async #judgeAll(): Promise<number> {
    const { store, clock, fleet, needOf } = this.#options
    const waiters = store.readGpuWaiters(clock.now(), mostJobs)
    const needs = new Map<string, GpuNeed>()
    for (const { type } of waiters) {
      const need = needOf(type)
      if (need !== null) needs.set(type, need)
    }
    fleet.want([...needs.values()])
    let left = 0
    for (const waiter of waiters) {
      // The store is closed soon, and a fleet that closes serves nobody.
      if (this.#isStopped) return 0
      const need = needs.get(waiter.type)
      if (need === undefined || !(await this.#judge(waiter, need))) left += 1
    }
    return left
  }

  /** @returns true when none of its units waits any more */
  async #judge(waiter: GpuWaiter, need: GpuNeed): Promise<boolean> {
    const { store, commits, clock, fleet } = this.#options
    const gpu = store.readJobPayload(waiter.jobId)?.options.gpu
    if (gpu === undefined) return false
    // Without any worker there is nothing to fall back from, whatever `fallback` says.
    if (gpu.preference === 'prefer' && !fleet.isConfigured()) return this.#placeHere(waiter, null)
    const mayFallBack = gpu.preference === 'prefer' && gpu.fallback !== 'never'
    const outlook = fleet.outlookOf(need)
    if (outlook.kind === 'ready' || outlook.kind === 'checking') return false
    if (mayFallBack && outlook.kind === 'unavailable') return this.#placeHere(waiter, outlook.error)
    // While a worker computes other units of it, the job does not wait in vain.
    const since = outlook.kind === 'busy' && waiter.isServed ? null : (waiter.since ?? clock.now())
    if (since !== waiter.since) await commits.run(() => store.setGpuWait(waiter.seq, since))
    if (since === null || clock.now() - since < gpu.waitMs) return false
    const error = overdue(outlook, gpu)
    return mayFallBack ? this.#placeHere(waiter, error) : this.#fail(waiter, error)
  }

  async #placeHere(waiter: GpuWaiter, reason: ErrorRecord | null): Promise<boolean> {
    const { store, commits, clock, log } = this.#options
    for (;;) {
      const units = await commits.run(() => store.placeUnitsHere(waiter, reason, mostUnits, clock.now()))
      if (units > 0) log.info({ job: waiter.jobId, units, reason: reason?.message }, 'runs on this machine')
      if (units < mostUnits) return true
    }
  }

  /** A unit must run before it ends: each is claimed for a worker, and refused in the same commit. */
  async #fail(waiter: GpuWaiter, error: ErrorRecord): Promise<boolean> {
    const { store, commits, clock, claimAs } = this.#options
    for (;;) {
      const lanes = store.readGpuLanes(waiter.seq, clock.now())
      let failed = 0
      for (const limitKey of lanes) {
        failed += await commits.run(() => {
          const now = clock.now()
          const { units } = store.claimUnitsIfDue({
            jobId: waiter.jobId,
            limitKey,
            limit: mostUnits,
            workerId: claimAs.workerId,
            executor: 'gpu',
            mode: 'remote',
            nonce: claimAs.createNonce(),
            now,
          })
          const facts = { exitCode: null, error, elapsedMs: 0, outputBytes: 0, droppedBytes: 0, now }
          for (const { id: unitId, attempt, nonce, workerId } of units)
            store.failUnitIfHeld({ unitId, attempt, nonce, workerId }, 'failed', null, null, facts)
          return units.length
        })
      }
      if (failed === 0) return true
    }
  }
}

/** Why a wait came to nothing: what the workers said last, and how long was waited. */
function overdue(outlook: Extract<GpuOutlook, { error: ErrorRecord }>, gpu: GpuOptions): ErrorRecord {
  const { error } = outlook
  const waited = `no GPU worker took it within ${formatDuration(gpu.waitMs)} (gpu_wait_s)`
  return {
    code: 'gpu_unavailable',
    message: `${waited}: ${error.message}`,
    remedy: errorKinds.gpu_unavailable.remedy,
    ...(error.details === undefined ? {} : { details: error.details }),
  }
}
