import type { ErrorRecord } from '../../../src/domain/errors.ts'
import type { Fence, Job, JobOptions, Json, Unit } from '../../../src/domain/job.ts'
import type { ArtifactFacts } from '../../../src/domain/ports/attempt.ts'
import type { EndFacts, HeldOutput, JobStore, NewJob, WorkerRecord } from '../../../src/domain/ports/job-store.ts'
import type { ExecutorKind } from '../../../src/domain/states.ts'
import { jobOptions } from '../../support/job-options.ts'
import { newJob as buildJob } from '../../support/new-job.ts'

/** The fake clock's start. */
export const start = Date.UTC(2030, 0, 1)

export const worker: WorkerRecord = { id: 'worker-1', kind: 'command', name: 'commands', pid: 4242, slots: 4 }
export const otherWorker: WorkerRecord = { id: 'worker-2', kind: 'thread', name: 'threads', pid: 4243, slots: 8 }

export const options: JobOptions = {
  ...jobOptions,
  unitTimeoutMs: 60_000,
  cancelGraceMs: 3_000,
  maxOutputBytes: 1024,
}

/** @returns a UUIDv7 with a number in it that is easy to read back. */
export function jobIdOf(number: number): string {
  return `01941f29-7c00-7000-8000-${String(number).padStart(12, '0')}`
}

export function unitIdOf(job: number, position: number): string {
  return `01941f29-7c00-7000-9000-${String(job).padStart(8, '0')}${String(position).padStart(4, '0')}`
}

/** A job with `units` units, due at once; everything else as a client leaves it. */
export function newJob(number: number, changes: Partial<NewJob> = {}, units = 1): NewJob {
  return buildJob(start, `key-${number}`, {
    id: jobIdOf(number),
    name: `job ${number}`,
    options,
    context: { env: { LANG: 'C' }, cwd: '/tmp' },
    submittedBy: 'test 1.0',
    contentHash: `hash-${number}`,
    units: Array.from({ length: units }, (_, position) => ({ id: unitIdOf(number, position), input: { position } })),
    ...changes,
  })
}

export function facts(changes: Partial<EndFacts> = {}): EndFacts {
  return {
    exitCode: 0,
    error: null,
    elapsedMs: 1_500,
    outputBytes: 20,
    droppedBytes: 0,
    now: start + 5_000,
    ...changes,
  }
}

/** What a completed attempt gave, for `completeUnitsIfHeld`. */
export function completion(fence: Fence, output: Json = null, changes: Partial<HeldOutput> = {}): HeldOutput {
  return { fence, output, elapsedMs: 1_500, outputBytes: 20, droppedBytes: 0, ...changes }
}

export function artifact(name: string, bytes = 3): ArtifactFacts {
  return { name, mediaType: 'text/plain', bytes, sha256: 'ab'.repeat(32) }
}

export const awayRecord: ErrorRecord = { code: 'gpu_unavailable', message: 'rig is away', remedy: 'Start rig.' }

export const brokenRecord: ErrorRecord = { code: 'command_failed', message: 'exit code 1', remedy: 'Read the log.' }

/** @returns the created job. @throws when the key was known */
export function submit(store: JobStore, job: NewJob): Job {
  const outcome = store.submitJob(job)
  if (outcome.kind !== 'created') throw new Error(`not created but ${outcome.kind}`)
  return outcome.job
}

/** @returns the id of the unit of a job's final step. */
export function finalStepIdOf(job: number): string {
  return unitIdOf(job, 9_999)
}

let nonces = 0

interface ClaimChanges {
  readonly now?: number
  readonly workerId?: string
  readonly limitKey?: string | null
  /** Default: a command. */
  readonly executor?: ExecutorKind
}

export interface Claimed {
  readonly unit: Unit & { readonly state: 'running' }
  readonly fence: Fence
  readonly job: Job
  readonly nextDueAt: number | null
}

/** @returns up to `limit` units of a lane, each with its fence; none when nothing is due. */
export function claimSome(store: JobStore, jobId: string, limit: number, changes: ClaimChanges = {}): Claimed[] {
  nonces += 1
  const { now = start, workerId = worker.id, limitKey = null, executor = 'command' } = changes
  const mode = executor === 'gpu' ? 'remote' : 'local'
  const nonce = `nonce-${nonces}`
  const request = { jobId, limitKey, limit, workerId, executor, mode, nonce, now }
  const { units, job, nextDueAt } = store.claimUnitsIfDue(request)
  return units.map((unit) => {
    if (job === null) throw new Error('claimed without a job')
    return { unit, job, nextDueAt, fence: { unitId: unit.id, attempt: unit.attempt, nonce, workerId } }
  })
}

/** @returns what was claimed and its fence. @throws when nothing was */
export function claim(store: JobStore, jobId: string, changes: ClaimChanges = {}): Claimed {
  const [claimed] = claimSome(store, jobId, 1, changes)
  if (claimed === undefined) throw new Error(`nothing to claim of ${jobId}`)
  return claimed
}

/** @returns a unit that a GPU worker is to run, and its fence. @throws when none waits for one */
export function claimForGpu(store: JobStore, jobId: string, changes: ClaimChanges = {}): Claimed {
  return claim(store, jobId, { ...changes, executor: 'gpu' })
}

/** Every way a fence can be wrong by one part. */
export function wrongFences(fence: Fence): readonly (readonly [string, Fence])[] {
  return [
    ['another attempt', { ...fence, attempt: fence.attempt + 1 }],
    ['another nonce', { ...fence, nonce: 'nonce-of-a-restored-past' }],
    ['another worker', { ...fence, workerId: 'worker-9' }],
    ['another unit', { ...fence, unitId: unitIdOf(99, 0) }],
  ]
}

/** @returns the types of the events after `afterId`, oldest first. */
export function eventTypes(store: JobStore, afterId = 0): string[] {
  return store.readEvents(afterId, 1_000).map((event) => event.type)
}
