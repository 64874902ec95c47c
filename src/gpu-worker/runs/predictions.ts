import { rm } from 'node:fs/promises'
import { attemptDirectory } from '../../config/paths.ts'
import type { Clock } from '../../domain/clock.ts'
import type { Json, JsonObject } from '../../domain/job.ts'
import type { HandlerJob, HandlerTask, ThreadExecutor } from '../../domain/ports/thread-executor.ts'
import type { PredictionInput } from '../../domain/wire/prediction.ts'
import { processorName } from '../../platform/processor-name.ts'
import { seedOfUnit } from '../../platform/unit-seed.ts'
import type { ExecutorLog } from '../../workers/executor-context.ts'
import type { Gpus } from '../devices/gpus.ts'
import { Refused } from '../refused.ts'
import type { ServedType, ServedTypes } from '../served-types.ts'
import type { FileStore } from '../storage/file-store.ts'
import type { Journal } from '../storage/journal.ts'
import type { WorkerPaths } from '../storage/worker-paths.ts'
import { type Answer, answerOf } from './answer.ts'
import { newestCheckpoint } from './checkpoints.ts'
import { endFactsOf, workerError } from './end-facts.ts'
import { JobNames } from './job-names.ts'
import { newRecord } from './new-record.ts'
import { readWanted, type Wanted } from './prediction-request.ts'
import { resumeState } from './resume-state.ts'
import { fenceOf, Run } from './run.ts'
import { finishedRecord } from './write-end.ts'

export interface PredictionsOptions {
  readonly paths: WorkerPaths
  readonly journal: Journal
  readonly files: FileStore
  readonly executor: ThreadExecutor
  readonly types: ServedTypes
  readonly gpus: Gpus
  readonly slots: number
  readonly bootId: string
  readonly clock: Clock
  readonly log: ExecutorLog
  /** @returns a name that no attempt had before */
  readonly nonce: () => string
}

const busyS = 2
/** More are not kept: the oldest go after a day. */
const mostKept = 10_000
/** A disk that is full may have room again; a file that is gone does not come back. */
const mostTries = 10
const retryMs = 1_000
const largestOutputBytes = 256 * 1024 * 1024
const longestGraceMs = 60_000

/** The predictions of a worker: taken once, run, watched over by their leases, kept. */
export class Predictions {
  readonly #options: PredictionsOptions
  readonly #runs = new Map<string, Run>()
  readonly #jobNames = new JobNames()
  #isClosing = false

  constructor(options: PredictionsOptions) {
    this.#options = options
  }

  get freeSlots(): number {
    return Math.max(0, this.#options.slots - this.#runs.size)
  }

  get isClosing(): boolean {
    return this.#isClosing
  }

  /**
   * Takes a prediction, or finds it: one id is run once. Durable before it resolves.
   * @param leaseS null: without a lease
   * @throws Refused
   */
  async put(id: string, body: unknown, leaseS: number | null): Promise<Answer> {
    const { journal, files } = this.#options
    const known = journal.find(id)
    const wanted = readWanted(id, body, files, known)
    if (known === null) {
      this.#take(id, wanted, leaseS)
    } else {
      if (known.inputHash !== wanted.hash) {
        throw new Refused('input_differs', `the prediction ${id} is here already, with another input: use a new id`)
      }
      if (this.#runs.get(id)?.isForgotten === true) throw busy('the prediction is being removed')
    }
    return await this.get(id, leaseS, 0)
  }

  /**
   * @param leaseS null: only looks, renews nothing
   * @throws Refused not_found
   */
  async get(id: string, leaseS: number | null, logsFrom: number): Promise<Answer> {
    const run = this.#runs.get(id)
    if (run?.isForgotten === true) throw notFound(id)
    if (run !== undefined) {
      run.checkLease()
      run.renew(leaseS)
      await this.#refreshCheckpoint(run).catch((error: unknown) => {
        // Then it is told the one before.
        this.#options.log.warn({ prediction: id, err: error }, 'a checkpoint could not be kept')
      })
    }
    // While the checkpoint was read it may have ended.
    const live = this.#runs.get(id)
    const record = live?.record ?? this.#options.journal.read(id)
    if (record === null) throw notFound(id)
    const { paths, bootId } = this.#options
    return await answerOf(record, live ?? null, logsFrom, { paths: paths.state, bootId })
  }

  /** Asks it to end; its end is told by `get`. Idempotent. @throws Refused not_found */
  async cancel(id: string): Promise<Answer> {
    const run = this.#runs.get(id)
    run?.checkLease()
    run?.stop('cancel')
    return await this.get(id, null, 0)
  }

  /** Removes it, once it has ended; what runs is ended. @throws Refused not_found */
  async forget(id: string): Promise<void> {
    const run = this.#runs.get(id)
    if (run !== undefined) {
      if (run.isForgotten) throw notFound(id)
      run.isForgotten = true
      run.stop('cancel')
      return
    }
    if (this.#options.journal.find(id) === null) throw notFound(id)
    await this.remove(id)
  }

  /** Ends the runs whose lease is over; called often. */
  checkLeases(): void {
    for (const run of this.#runs.values()) run.checkLease()
  }

  /** Removes one that has ended, with its files. */
  async remove(id: string): Promise<void> {
    const { journal, files, paths } = this.#options
    const facts = journal.find(id)
    if (facts === null) return
    journal.remove(id)
    for (const hash of [...facts.files, ...(facts.inputFile === null ? [] : [facts.inputFile])]) {
      if (!journal.names(hash)) files.remove(hash)
    }
    const { unit_id: unitId, attempt, nonce } = facts.attempt
    await rm(attemptDirectory(paths.state, { unitId, attempt, nonce }), { recursive: true, force: true }).catch(
      () => undefined,
    )
  }

  /** Takes no more, ends what runs, and resolves when all ends are durable or the time is over. */
  async close(limitMs: number): Promise<void> {
    this.#isClosing = true
    for (const run of this.#runs.values()) run.stop('shutdown')
    const until = performance.now() + limitMs
    while (this.#runs.size > 0 && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 20))
  }

  #take(id: string, wanted: Wanted, leaseS: number | null): void {
    const { journal, files, types, slots, paths, clock, nonce } = this.#options
    if (this.#isClosing) throw new Refused('not_ready', 'the worker is stopping', { retryAfterS: busyS })
    const input = wanted.input()
    const served = types.find(input.type)
    if (served === null) throw new Refused('unknown_type', `this worker does not serve the job type "${input.type}"`)
    if (served.version !== input.version) {
      throw new Refused(
        'unknown_version',
        `"${input.type}" is here in version "${served.version}", not "${input.version}"`,
      )
    }
    if (this.#runs.size >= slots) throw busy(`all ${slots} slots are taken`)
    if (journal.size >= mostKept) throw busy(`${journal.size} predictions are kept: DELETE those that are not needed`)
    files.assertRoom(0)
    const resume = resumeState(input, served, files)
    const at = new Date(clock.now()).toISOString()
    const record = newRecord(id, wanted, input, served, {
      nonce: nonce(),
      at,
      preamble: resume.note,
      device: this.#computesOn(served) === 'cpu' ? { name: processorName(), kind: 'cpu' } : null,
    })
    journal.write(record)
    const run = new Run(record, { clock, paths: paths.state, onLeaseEnd: input.on_lease_end })
    run.renew(leaseS)
    this.#runs.set(id, run)
    this.#start(run, served, input, resume.state)
  }

  #start(run: Run, served: ServedType, input: PredictionInput, resume: Json | undefined): void {
    const { executor } = this.#options
    const { handler, environment, cwd } = served
    const content = {
      params: served.paramsOf(input, resume),
      dependencies: input.dependencies as JsonObject,
      unitTimeoutMs: input.timeout_ms,
      idleTimeoutMs: input.idle_timeout_ms,
      cancelGraceMs: Math.min(input.cancel_grace_ms, longestGraceMs),
      maxOutputBytes: Math.min(input.max_output_bytes, largestOutputBytes),
    }
    const job: HandlerJob = {
      jobId: this.#jobNames.nameOf(input.job_id, content),
      handler,
      environment,
      cwd,
      ...content,
    }
    const task: HandlerTask = {
      fence: fenceOf(run.record),
      unit: input.unit as Json | undefined,
      position: input.position,
      checkpoint: resume,
      resultsFile: null,
      ...(input.seed === seedOfUnit(input.unit_id) ? {} : { seed: input.seed }),
      compute: this.#computesOn(served),
      alone: false,
    }
    void this.#settle(run)
    run.control = executor.start(job, [{ task, observer: run }])[0] ?? null
  }

  #computesOn({ wantsGpu }: ServedType): 'cpu' | 'gpu' {
    return wantsGpu ? this.#options.gpus.compute : 'cpu'
  }

  /** The end is durable before it is told, and before the thread host may forget it. */
  async #settle(run: Run): Promise<void> {
    const { journal, files, clock, executor, log } = this.#options
    const end = await run.whenEnded
    const own = endFactsOf(end, run.stopCause)
    for (let tries = 1; ; tries += 1) {
      try {
        await this.#refreshCheckpoint(run)
        const facts = tries > mostTries ? workerError('what it made could not be kept', end.elapsedMs) : own
        const record = await finishedRecord(run, facts, files, clock.now())
        journal.write(record)
        break
      } catch (error) {
        log.error({ prediction: run.record.id, err: error }, 'the end of a prediction could not be kept; trying again')
        await new Promise((resolve) => setTimeout(resolve, retryMs))
      }
    }
    this.#runs.delete(run.record.id)
    executor.acknowledge([fenceOf(run.record)])
    if (run.isForgotten) await this.remove(run.record.id)
  }

  /** A checkpoint that is told has a number that no other has, also after a restart. */
  async #refreshCheckpoint(run: Run): Promise<void> {
    const { files, journal } = this.#options
    const { checkpoint, checkpoint_mark: mark, checkpoint_seq: seq } = run.record
    const told = { checkpoint, mark, seq }
    const newest = await newestCheckpoint(run.directory, run.record.checkpoint_format, told, files)
    // Two requests may have read the same file.
    if (newest === told || run.record.checkpoint_mark !== told.mark) return
    if (this.#runs.get(run.record.id) !== run) return
    const record = {
      ...run.record,
      checkpoint: newest.checkpoint,
      checkpoint_mark: newest.mark,
      checkpoint_seq: newest.seq,
    }
    journal.write(record)
    run.record = record
    // The one before may just be fetched.
    const old = run.supersededFile
    run.supersededFile = told.checkpoint?.sha256 ?? null
    if (old !== null && !journal.names(old)) files.remove(old)
  }
}

function busy(detail: string): Refused {
  return new Refused('busy', detail, { retryAfterS: busyS })
}

function notFound(id: string): Refused {
  return new Refused('not_found', `there is no prediction ${id} here; it may have been removed`)
}
