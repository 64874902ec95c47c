import { isDeepStrictEqual } from 'node:util'
import { expect } from 'vitest'
import type { Fence } from '../../src/domain/job.ts'
import type { ClaimRequest, Consequences, EndFacts, JobChanges, JobStore } from '../../src/domain/ports/job-store.ts'
import type { Priority } from '../../src/domain/states.ts'
import {
  brokenRecord,
  completion,
  finalStepIdOf,
  jobIdOf,
  newJob,
  otherWorker,
  unitIdOf,
  worker,
} from '../conformance/support/jobs.ts'
import type { FakeClock } from '../support/fake-clock.ts'
import { inOrder, withoutWay } from './alike.ts'
import type { FenceChoice, Key, Operation, UpdateKind } from './history.ts'
import { tellOfAttempt } from './tell-of-attempt.ts'

const workers = [worker, otherWorker]
const leaseMs = 400

class Undone extends Error {}

/** The real store and its model, given the same operations; every answer must be the same. */
export class StorePair {
  readonly real: JobStore
  readonly model: JobStore
  readonly clock: FakeClock
  #jobs = 0
  #nonces = 0
  #resubmits = 0
  #inserted = 0
  #fences: Fence[] = []

  constructor(real: JobStore, model: JobStore, clock: FakeClock) {
    this.real = real
    this.model = model
    this.clock = clock
    this.both((store) => store.raiseEpoch('property', this.now()))
    for (const each of workers) this.both((store) => store.registerWorker(each, this.now(), this.now() + leaseMs))
  }

  get jobIds(): string[] {
    return Array.from({ length: this.#jobs }, (_, index) => jobIdOf(index + 1))
  }

  now(): number {
    return this.clock.now()
  }

  /** @returns the one answer of both. */
  both<Answer>(ask: (store: JobStore) => Answer): Answer {
    const expected = ask(this.model)
    const actual = ask(this.real)
    // expect is slow on whole snapshots; it is only needed for its message.
    if (!isDeepStrictEqual(actual, expected)) expect(actual).toEqual(expected)
    return actual
  }

  apply(operation: Operation): void {
    switch (operation.kind) {
      case 'submit':
        this.#submit(operation)
        return
      case 'resubmit':
        this.#resubmit(operation)
        return
      case 'claim':
        this.#claim(operation)
        return
      case 'pause':
      case 'resume':
      case 'decide':
      case 'update':
      case 'append':
        if (this.#jobs > 0) this.#control(operation)
        return
      case 'place_here':
      case 'gpu_wait':
        if (this.#jobs > 0) this.#placeGpu(operation)
        return
      case 'insert':
        this.#insert(operation)
        return
      case 'update_queue':
        this.both((store) => store.updateQueue('night', { paused: operation.paused }, this.now()))
        return
      case 'take_consequences':
        this.takeConsequences()
        return
      case 'cancel':
        if (this.#jobs > 0)
          this.both((store) => store.requestCancel(this.#jobId(operation.job), operation.reason, this.now()))
        return
      case 'heartbeat':
        this.both((store) => store.heartbeatWorker(this.#workerId(operation.worker), this.now(), this.now() + leaseMs))
        return
      case 'stop_worker':
        this.both((store) => store.stopWorker(this.#workerId(operation.worker), this.now()))
        return
      case 'register_worker': {
        const chosen = workers[operation.worker % workers.length] ?? worker
        this.both((store) => store.registerWorker(chosen, this.now(), this.now() + leaseMs))
        return
      }
      case 'acknowledge':
        this.both((store) => store.acknowledge('reader', operation.event % (store.lastEventId() + 1)))
        return
      case 'show':
        this.both((store) => store.recordShown('reader', operation.event % (store.lastEventId() + 1)))
        return
      case 'prune_events':
        this.both((store) => store.pruneEvents(operation.keep, 20))
        return
      case 'search': {
        const page = { limit: 5, ...(operation.beforeSeq === null ? {} : { beforeSeq: operation.beforeSeq }) }
        this.both((store) => store.listJobs({ text: operation.word }, page))
        return
      }
      case 'advance':
        this.clock.advance(operation.ms)
        return
      case 'group':
        this.#group(operation)
        return
      default:
        this.#withFence(operation)
        return
    }
  }

  /** Both answers may name lanes in any order. */
  takeConsequences(): Consequences {
    return this.both((store) => inOrder(store.takeConsequences()))
  }

  /** Claims units of a lane for the first worker. @returns their fences; none when nothing was due */
  claimNow(jobId: string, forGpu: boolean, limitKey: Key, limit: number): Fence[] {
    return this.#claimUnits({ jobId, limitKey, limit, workerId: worker.id, executor: forGpu ? 'gpu' : 'command' })
  }

  /** Gives everything that open sources and decisions still owe. */
  finishJobs(): void {
    for (const source of this.both((store) => store.readOpenSources(100))) {
      const batch = { units: [], cursor: source.source.total, done: true }
      this.both((store) => store.insertUnits(source.seq, batch, this.now()))
    }
    this.both((store) => store.updateQueue('night', { paused: false }, this.now()))
    for (const { id: jobId } of this.model.listJobs({ states: ['queued', 'running'] }, { limit: 1_000 })) {
      this.both((store) => store.resumeJob(jobId, this.now()))
      this.both((store) => store.decideJob(jobId, 'approved', 'person', this.now()))
      this.both((store) => store.updateJob(jobId, { close: true }, this.now()))
    }
  }

  facts(changes: Partial<EndFacts> = {}): EndFacts {
    return { exitCode: 0, error: null, elapsedMs: 7, outputBytes: 3, droppedBytes: 0, now: this.now(), ...changes }
  }

  #submit(operation: Extract<Operation, { kind: 'submit' }>): void {
    const dependencies = operation.extras.dependsOn
      .filter(() => this.#jobs > 0)
      .map(({ pick, condition }) => ({ jobId: this.#jobId(pick), alias: `job${pick}`, condition }))
    this.#jobs += 1
    const number = this.#jobs
    const { units, maxAttempts, concurrency, delayMs, word, extras } = operation
    const { limitKeys, queue, budget, hasFinalStep, sourceItems, keepOpen, testUnits, gpu } = extras
    const job = newJob(number, {
      maxAttempts,
      concurrency,
      name: `job of ${word}`,
      labels: { word },
      now: this.now(),
      runAt: this.now() + delayMs,
      units: Array.from({ length: units }, (_, position) => ({
        id: unitIdOf(number, position),
        input: { position },
        key: position === 0 ? 'x' : null,
        limitKey: limitKeys[position % limitKeys.length] ?? null,
      })),
      queue,
      dependencies,
      failureBudget: budget,
      finalStep: hasFinalStep ? { unitId: finalStepIdOf(number), params: {} } : null,
      source: sourceItems === null ? null : { kind: 'range', from: 0, step: 1, total: sourceItems },
      keepOpen,
      testUnits,
      gpu,
    })
    this.both((store) => store.submitJob(job))
  }

  #resubmit(operation: Extract<Operation, { kind: 'resubmit' }>): void {
    if (this.#jobs === 0) return
    const number = (operation.job % this.#jobs) + 1
    const content = operation.sameContent ? `hash-${number}` : 'other content'
    this.#resubmits += 1
    const job = newJob(900_000 + this.#resubmits, {
      idempotencyKey: `key-${number}`,
      contentHash: content,
      now: this.now(),
    })
    this.both((store) => store.submitJob(job))
    // A key whose submit was undone is free: then this was a new job, which later steps do not know.
    if (this.real.readJob(job.id) !== null) this.both((store) => store.requestCancel(job.id, 'user', this.now()))
  }

  #claim(operation: Extract<Operation, { kind: 'claim' }>): void {
    if (this.#jobs === 0) return
    const { limit, key: limitKey } = operation
    const workerId = this.#workerId(operation.worker)
    const executor = operation.forGpu ? 'gpu' : 'thread'
    this.#claimUnits({ jobId: this.#jobId(operation.job), limitKey, limit, workerId, executor })
  }

  #claimUnits(request: Pick<ClaimRequest, 'jobId' | 'limitKey' | 'limit' | 'workerId' | 'executor'>): Fence[] {
    this.#nonces += 1
    const nonce = `nonce-${this.#nonces}`
    const mode = request.executor === 'gpu' ? 'remote' : 'local'
    const whole = { ...request, mode, nonce, now: this.now() }
    const { units } = this.both((store) => store.claimUnitsIfDue(whole))
    const fences = units.map(({ id, attempt }) => ({ unitId: id, attempt, nonce, workerId: request.workerId }))
    this.#fences.push(...fences)
    return fences
  }

  #control(operation: Extract<Operation, { kind: 'pause' | 'resume' | 'decide' | 'update' | 'append' }>): void {
    const jobId = this.#jobId(operation.job)
    switch (operation.kind) {
      case 'pause':
        this.both((store) => store.pauseJob(jobId, operation.freeze, this.now()))
        return
      case 'resume':
        this.both((store) => store.resumeJob(jobId, this.now()))
        return
      case 'decide':
        this.both((store) => store.decideJob(jobId, operation.decision, 'person', this.now()))
        return
      case 'append': {
        const source = { kind: 'range', from: 0, step: 1, total: operation.items } as const
        this.both((store) => store.appendSource(jobId, source, this.now()))
        return
      }
      case 'update': {
        const changes = this.#changes(operation.what, operation.number)
        // Where there are two ways around, each may name another one.
        this.both((store) => withoutWay(store.updateJob(jobId, changes, this.now())))
        return
      }
    }
  }

  #changes(what: UpdateKind, number: number): JobChanges {
    if (what === 'run_at') return { runAt: this.now() + (number % 3) * 100 }
    if (what === 'priority') return { priority: ((number % 4) + 1) as Priority }
    if (what === 'concurrency') return { concurrency: number % 3 === 0 ? null : number % 3 }
    if (what === 'labels') return { labels: { word: null, other: `w${number % 2}` } }
    if (what === 'close') return { close: true }
    const dependency = { jobId: this.#jobId(number), alias: 'later', condition: 'ended' } as const
    return { dependencies: [dependency] }
  }

  #insert(operation: Extract<Operation, { kind: 'insert' }>): void {
    const open = this.both((store) => store.readOpenSources(100))
    const source = open[operation.source % Math.max(1, open.length)]
    if (source === undefined) return
    this.#inserted += operation.units.length
    const units = operation.units.map((unit, index) => ({
      id: unitIdOf(800_000 + this.#inserted, index),
      input: index,
      ...unit,
    }))
    const batch = { units, cursor: source.cursor + units.length, done: operation.done }
    this.both((store) => store.insertUnits(source.seq, batch, this.now()))
  }

  #withFence(operation: Extract<Operation, { readonly fence: FenceChoice }>): void {
    const fence = this.#choose(operation.fence)
    if (fence === null) return
    const failed = this.facts({ exitCode: 1, error: brokenRecord })
    switch (operation.kind) {
      case 'complete':
        this.#complete(fence, operation.asBatch)
        return
      case 'fail': {
        const retryAt = operation.retryInMs === null ? null : this.now() + operation.retryInMs
        const outcome = operation.timedOut ? 'timed_out' : 'failed'
        this.both((store) => store.failUnitIfHeld(fence, outcome, retryAt, { by: fence.nonce }, failed))
        return
      }
      case 'lose': {
        const options = { mayRerun: operation.mayRerun, countsAsCrash: operation.crash, retryAt: this.now() + 50 }
        this.both((store) => store.loseUnitIfHeld(fence, options, failed))
        return
      }
      case 'release':
        this.both((store) => store.releaseUnitIfHeld(fence, this.facts({ exitCode: null })))
        return
      case 'defer':
        this.both((store) => store.deferUnitIfHeld(fence, this.now() + operation.inMs, { by: fence.nonce }, failed))
        return
      case 'confirm_cancel':
        this.both((store) => store.cancelUnitIfHeld(fence, { by: fence.nonce }, this.facts({ exitCode: null })))
        return
      case 'adopt': {
        const adopted = this.both((store) => store.adoptUnitIfHeld(fence, this.#workerId(operation.worker)))
        if (adopted !== null) this.#fences.push(adopted)
        return
      }
      case 'return': {
        const { to, restarted } = operation
        if (!this.#isRemote(fence)) return
        this.both((store) =>
          store.returnUnitIfHeld(
            fence,
            { to, restarted, ...(restarted ? {} : { availableAt: this.now() + 40 }) },
            failed,
          ),
        )
        return
      }
      default:
        tellOfAttempt(this, operation, fence, this.#isRemote(fence))
    }
  }

  #isRemote({ unitId, attempt }: Fence): boolean {
    return this.model.readAttempts(unitId).find((each) => each.attempt === attempt)?.executor === 'gpu'
  }

  #placeGpu(operation: Extract<Operation, { kind: 'place_here' | 'gpu_wait' }>): void {
    const job = this.both((store) => store.readJob(this.#jobId(operation.job)))
    // Its submit was undone.
    if (job === null) return
    if (operation.kind === 'gpu_wait')
      this.both((store) => store.setGpuWait(job.seq, operation.waits ? this.now() : null))
    else {
      const reason = operation.isFallback ? brokenRecord : null
      const where = { jobId: job.id, seq: job.seq }
      this.both((store) => store.placeUnitsHere(where, reason, operation.limit, this.now()))
    }
  }

  #complete(fence: Fence, asBatch: boolean): void {
    const output = { by: fence.nonce }
    if (!asBatch) this.both((store) => store.completeUnitIfHeld(fence, output, this.facts()))
    else this.both((store) => store.completeUnitsIfHeld([completion(fence, output)], this.now()))
  }

  #group(operation: Extract<Operation, { kind: 'group' }>): void {
    const fencesBefore = [...this.#fences]
    const run = (store: JobStore, inner: () => void) => {
      try {
        store.atomically(() => {
          inner()
          if (operation.fails) throw new Undone()
        })
      } catch (thrown) {
        if (!(thrown instanceof Undone)) throw thrown
      }
    }
    run(this.model, () =>
      run(this.real, () => {
        for (const step of operation.steps) this.apply(step)
        // The inner store is undone by its own throw, the outer by the one below.
      }),
    )
    if (operation.fails) this.#fences = fencesBefore
  }

  #choose(choice: FenceChoice): Fence | null {
    const held = this.model.findHeldUnits({ limit: 1_000 }).map((unit) => unit.fence)
    const among = choice.from === 'held' && held.length > 0 ? held : this.#fences
    const fence = among[choice.pick % Math.max(1, among.length)]
    if (fence === undefined) return null
    if (choice.wrong === 'attempt') return { ...fence, attempt: fence.attempt + 1 }
    if (choice.wrong === 'nonce') return { ...fence, nonce: 'nonce-of-a-restored-past' }
    if (choice.wrong === 'worker')
      return { ...fence, workerId: fence.workerId === worker.id ? otherWorker.id : worker.id }
    return fence
  }

  #jobId(pick: number): string {
    return jobIdOf((pick % this.#jobs) + 1)
  }

  #workerId(pick: number): string {
    return (workers[pick % workers.length] ?? worker).id
  }
}
