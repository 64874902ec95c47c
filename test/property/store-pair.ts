import { isDeepStrictEqual } from 'node:util'
import { expect } from 'vitest'
import type { Fence } from '../../src/domain/job.ts'
import type { EndFacts, JobStore } from '../../src/domain/ports/job-store.ts'
import { brokenRecord, jobIdOf, newJob, otherWorker, worker } from '../conformance/support/jobs.ts'
import type { FakeClock } from '../support/fake-clock.ts'
import type { FenceChoice, Operation } from './history.ts'

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

  /** Claims one unit of a job for the first worker. @returns its fence, or null when nothing was due */
  claimNow(jobId: string): Fence | null {
    this.#nonces += 1
    const nonce = `nonce-${this.#nonces}`
    const request = { jobId, workerId: worker.id, executor: 'command', mode: 'local', nonce, now: this.now() } as const
    const outcome = this.both((store) => store.claimUnitIfDue(request))
    if (outcome.kind === 'none') return null
    const fence = { unitId: outcome.unit.id, attempt: outcome.unit.attempt, nonce, workerId: worker.id }
    this.#fences.push(fence)
    return fence
  }

  facts(changes: Partial<EndFacts> = {}): EndFacts {
    return { exitCode: 0, error: null, elapsedMs: 7, outputBytes: 3, droppedBytes: 0, now: this.now(), ...changes }
  }

  #submit(operation: Extract<Operation, { kind: 'submit' }>): void {
    this.#jobs += 1
    const { units, maxAttempts, concurrency, delayMs, word } = operation
    const changes = {
      maxAttempts,
      concurrency,
      name: `job of ${word}`,
      labels: { word },
      now: this.now(),
      runAt: this.now() + delayMs,
    }
    const job = newJob(this.#jobs, changes, units)
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
    this.#nonces += 1
    const nonce = `nonce-${this.#nonces}`
    const workerId = this.#workerId(operation.worker)
    const jobId = this.#jobId(operation.job)
    const outcome = this.both((store) =>
      store.claimUnitIfDue({ jobId, workerId, executor: 'thread', mode: 'local', nonce, now: this.now() }),
    )
    if (outcome.kind === 'none') return
    this.#fences.push({ unitId: outcome.unit.id, attempt: outcome.unit.attempt, nonce, workerId })
  }

  #withFence(operation: Extract<Operation, { readonly fence: FenceChoice }>): void {
    const fence = this.#choose(operation.fence)
    if (fence === null) return
    const failed = this.facts({ exitCode: 1, error: brokenRecord })
    switch (operation.kind) {
      case 'complete':
        this.both((store) => store.completeUnitIfHeld(fence, { by: fence.nonce }, this.facts()))
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
      case 'confirm_cancel':
        this.both((store) => store.cancelUnitIfHeld(fence, { by: fence.nonce }, this.facts({ exitCode: null })))
        return
      case 'adopt': {
        const adopted = this.both((store) => store.adoptUnitIfHeld(fence, this.#workerId(operation.worker)))
        if (adopted !== null) this.#fences.push(adopted)
        return
      }
      case 'record_runner':
        this.both((store) => store.recordRunnerIfHeld(fence, { pid: 5, startTime: fence.nonce, bootId: 'boot' }))
        return
      case 'record_progress': {
        const progress = { current: operation.current, total: null, message: fence.nonce, stage: null }
        this.both((store) => store.recordProgressIfHeld(fence, progress, operation.current, this.now()))
        return
      }
    }
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
