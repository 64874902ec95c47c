import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { uuidv7 } from 'uuidv7'
import type { KeyLimits, RateLimit } from '../../src/domain/job.ts'
import type { EndFacts } from '../../src/domain/ports/job-store.ts'
import type { Lane } from '../../src/domain/ports/lane-store.ts'
import type { Priority } from '../../src/domain/states.ts'
import { CommitQueue } from '../../src/manager/runtime/commit-queue.ts'
import { Dispatcher } from '../../src/manager/runtime/dispatcher.ts'
import type { Claim } from '../../src/manager/runtime/pool.ts'
import { openJobStore } from '../../src/persistence/open-job-store.ts'
import { createFakeClock } from '../support/fake-clock.ts'
import { newJob } from '../support/new-job.ts'

/** Durability is not at stake here, and waiting for a disk would be most of the time. */
const directoryForTests = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

export interface JobPlan {
  readonly client: string
  /** Of `single` one unit at once. */
  readonly type: 'command' | 'single'
  readonly queue: string
  readonly priority: Priority
  /** Its units run at a GPU worker. */
  readonly gpu: boolean
  readonly concurrency: number | null
  readonly keyLimits: KeyLimits | null
  /** Limit key of each unit. */
  readonly keys: readonly (string | null)[]
}

export type Step =
  | { readonly kind: 'submit'; readonly plan: JobPlan }
  /** Ends the running unit at that place among those that run. */
  | { readonly kind: 'end'; readonly place: number; readonly how: 'completed' | 'released' | 'slowed' }
  | { readonly kind: 'advance'; readonly ms: number }
  | { readonly kind: 'hold'; readonly lane: Lane; readonly ms: number }
  | {
      readonly kind: 'limit'
      readonly queue: string
      readonly concurrency: number | null
      readonly rate: RateLimit | null
    }
  | { readonly kind: 'pauseQueue' | 'resumeQueue' | 'endHolds'; readonly queue: string }
  | { readonly kind: 'pauseJob' | 'resumeJob'; readonly place: number }
  /** So many units the GPU worker takes from now on; what runs there goes on. */
  | { readonly kind: 'places'; readonly count: number }
  | { readonly kind: 'restart' }

/** A unit that was started, in starting order. */
export interface Start {
  readonly claim: Claim
  readonly plan: JobPlan
  /** Monotonic ms. */
  readonly at: number
  /** Of the queue then, see `rated`. */
  readonly queueRated: number | null
  ended: boolean
}

/** A unit as it stands in the store, with what its job says of it. */
export interface Waiting {
  readonly jobId: string
  readonly plan: JobPlan
  readonly key: string | null
}

/** Units that may be at GPU workers; more than there are places, as it is usual. */
export const gpuSlots = 20

/** A dispatcher on a real store with a fake clock; nothing of it runs unless a step says so. */
export class DispatchWorld {
  readonly #directory = mkdtempSync(join(directoryForTests, 'nk-dispatch-'))
  readonly clock = createFakeClock()
  readonly store = openJobStore({
    databaseFile: join(this.#directory, 'queue.db'),
    backupsDirectory: this.#directory,
    appVersion: '0.0.0',
    clock: this.clock,
  })
  readonly slots: number
  /** At the GPU worker, for all types. */
  places = 2
  readonly starts: Start[] = []
  readonly plans = new Map<string, JobPlan>()
  readonly pausedJobs = new Set<string>()
  holds: (Lane & { readonly until: number })[] = []
  /** Queues that have a rate limit, by the number of the change since which its window has not grown. */
  readonly rated = new Map<string, number>()
  #rateChanges = 0
  #nonce = 0
  #commits: CommitQueue
  #dispatcher: Dispatcher

  constructor(slots: number) {
    this.slots = slots
    this.store.raiseEpoch('test', this.clock.now())
    this.store.registerWorker(
      { id: 'w', kind: 'command', name: 'w', pid: 1, slots },
      this.clock.now(),
      this.clock.now(),
    )
    const manager = this.#manager()
    this.#commits = manager.commits
    this.#dispatcher = manager.dispatcher
  }

  get dispatcher(): Dispatcher {
    return this.#dispatcher
  }

  get running(): readonly Start[] {
    return this.starts.filter((start) => !start.ended)
  }

  runningAt(gpu: boolean): readonly Start[] {
    return this.running.filter(({ plan }) => plan.gpu === gpu)
  }

  close(): void {
    this.#dispatcher.quiet()
    this.#commits.pause()
    this.store.close()
    rmSync(this.#directory, { recursive: true, force: true })
  }

  async apply(step: Step): Promise<void> {
    const { store, clock } = this
    switch (step.kind) {
      case 'submit':
        return this.#submit(step.plan)
      case 'end': {
        const { running } = this
        const start = running[step.place % Math.max(1, running.length)]
        if (start === undefined) return
        await this.end(start, step.how)
        if (!start.plan.gpu) return
        // The worker tells of its free place later.
        this.#dispatcher.reloadTypes()
        break
      }
      case 'advance':
        clock.advance(step.ms)
        break
      case 'hold': {
        const hold = { ...step.lane, until: clock.now() + step.ms }
        this.holds.push(hold)
        return this.#commits.run(() => {
          store.holdLane({ ...hold, reason: 'test' }, clock.now())
          this.#dispatcher.holdLane(step.lane, hold.until)
        })
      }
      case 'limit':
        this.#noteRate(step.queue, step.rate)
        return this.#commits.run(() => {
          store.updateQueue(step.queue, { concurrency: step.concurrency, rate: step.rate }, clock.now())
          this.#dispatcher.reloadQueues()
        })
      case 'pauseQueue':
      case 'resumeQueue':
        return this.#commits.run(() => {
          store.updateQueue(step.queue, { paused: step.kind === 'pauseQueue' }, clock.now())
          this.#dispatcher.reloadQueues()
        })
      case 'endHolds':
        this.holds = this.holds.filter((hold) => hold.queue !== step.queue)
        await this.#commits.run((commit) => {
          store.endLaneHolds(step.queue, clock.now())
          commit.afterCommit(() => this.#dispatcher.endHolds(step.queue))
        })
        break
      case 'pauseJob':
      case 'resumeJob': {
        const id = [...this.plans.keys()][step.place % Math.max(1, this.plans.size)]
        if (id === undefined) return
        return this.#commits.run(() => {
          if (step.kind === 'pauseJob') store.pauseJob(id, false, clock.now())
          else store.resumeJob(id, clock.now())
          this.pausedJobs[step.kind === 'pauseJob' ? 'add' : 'delete'](id)
        })
      }
      case 'places':
        this.places = step.count
        this.#dispatcher.reloadTypes()
        break
      case 'restart': {
        this.#dispatcher.quiet()
        this.#commits.pause()
        const manager = this.#manager()
        this.#commits = manager.commits
        this.#dispatcher = manager.dispatcher
        break
      }
    }
    return this.settle()
  }

  /** The next group: what has become possible by time alone starts in it. */
  settle(): Promise<void> {
    return this.#commits.run(() => undefined)
  }

  end(start: Start, how: 'completed' | 'released' | 'slowed'): Promise<void> {
    const { store, clock } = this
    const { id: unitId, attempt, nonce, workerId, limitKey } = start.claim.unit
    const fence = { unitId, attempt, nonce, workerId }
    const facts: EndFacts = {
      exitCode: 0,
      error: null,
      elapsedMs: 1,
      outputBytes: 0,
      droppedBytes: 0,
      now: clock.now(),
    }
    return this.#commits.run(() => {
      start.ended = true
      if (how === 'completed') store.completeUnitIfHeld(fence, null, facts)
      else if (how === 'released') store.releaseUnitIfHeld(fence, facts)
      else {
        const hold = { queue: start.plan.queue, key: limitKey ?? '', until: clock.now() + 700 }
        store.deferUnitIfHeld(fence, hold.until, null, facts)
        store.holdLane({ ...hold, reason: 'told' }, clock.now())
        this.#dispatcher.holdLane(hold, hold.until)
        this.holds.push(hold)
      }
      this.#dispatcher.releaseSlot(unitId)
    })
  }

  /** Units that are available and due, whatever else keeps them back. */
  waiting(): readonly Waiting[] {
    return [...this.plans].flatMap(([jobId, plan]) =>
      this.store
        .readUnits(jobId, { limit: 1_000 }, { states: ['available'] })
        .filter((unit) => unit.state === 'available' && unit.availableAt <= this.clock.now())
        .map(({ limitKey: key }) => ({ jobId, plan, key })),
    )
  }

  #manager() {
    const { store, clock } = this
    const commits = new CommitQueue({
      store,
      faultPoint: () => undefined,
      isStorageFault: () => false,
      onGroupFailure: (error) => {
        throw error
      },
      onHookError: (error) => {
        throw error
      },
      onEpochLost: (error) => {
        throw error
      },
    })
    commits.addClosingHook(() => dispatcher.offer(store.takeConsequences().runnable))
    const dispatcher: Dispatcher = new Dispatcher({
      store,
      commits,
      clock,
      executorOf: () => 'command',
      typeLimitOf: (type) => (type === 'single' ? 1 : null),
      gpuPlacesFor: () => this.places - this.runningAt(true).length,
      createNonce: () => `nonce${this.#nonce++}`,
      pools: [
        {
          kind: 'command',
          workerId: 'w',
          slots: this.slots,
          endsInCommit: false,
          start: (claims) => this.#note(claims),
        },
        {
          kind: 'gpu',
          workerId: 'w',
          slots: gpuSlots,
          endsInCommit: false,
          start: (claims) => this.#note(claims),
        },
      ],
    })
    for (const held of store.findHeldUnits({ limit: 1_000 })) dispatcher.occupySlot(held)
    dispatcher.start()
    return { commits, dispatcher }
  }

  #note(claims: readonly Claim[]): void {
    for (const claim of claims) {
      const plan = this.plans.get(claim.job.id)
      if (plan === undefined) throw new Error(`a unit of an unknown job ${claim.job.id}`)
      const queueRated = this.rated.get(plan.queue) ?? null
      this.starts.push({ claim, plan, at: this.clock.monotonic(), queueRated, ended: false })
    }
  }

  #noteRate(queue: string, rate: RateLimit | null): void {
    const before = this.store.readQueues().find(({ name }) => name === queue)?.rate ?? null
    this.#rateChanges += 1
    if (rate === null) this.rated.delete(queue)
    else if (before === null || rate.windowMs > before.windowMs) this.rated.set(queue, this.#rateChanges)
  }

  #submit(plan: JobPlan): Promise<void> {
    const { store, clock } = this
    const job = newJob(clock.now(), `job ${this.plans.size}`, {
      type: plan.type,
      queue: plan.queue,
      priority: plan.priority,
      gpu: plan.gpu ? 'prefer' : 'never',
      concurrency: plan.concurrency,
      submittedBy: plan.client,
      units: plan.keys.map((limitKey, position) => ({ id: uuidv7(), input: position, limitKey })),
      keyLimits: plan.keyLimits,
    })
    this.plans.set(job.id, plan)
    return this.#commits.run(() => {
      if (store.submitJob(job).kind !== 'created') throw new Error('not created')
    })
  }
}
