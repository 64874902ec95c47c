import type { ErrorRecord } from '../../../src/domain/errors.ts'
import type { Fence, Json, Progress, RunnerIdentity, Unit } from '../../../src/domain/job.ts'
import type { ArtifactFacts } from '../../../src/domain/ports/attempt.ts'
import type {
  BatchEnd,
  ClaimOutcome,
  ClaimRequest,
  EndFacts,
  HeldOutput,
  UnitEnd,
} from '../../../src/domain/ports/job-store.ts'
import type { Checkpoint } from '../../../src/domain/ports/remote-executor.ts'
import { poisonLimit } from '../../../src/domain/retry-policy.ts'
import type { AttemptOutcome } from '../../../src/domain/states.ts'
import type { ModelDatabase } from './in-memory-job-reads.ts'
import { InMemorySettling } from './in-memory-settling.ts'
import { endData, endEvent, isOverBudgetEarly, poison } from './model-rules.ts'
import type { ModelJob, ModelUnit } from './model-state.ts'
import { countsOf, unitsOf, viewJob, viewUnit } from './model-views.ts'

/** Claims of the model, and the ends of what was claimed. */
export abstract class InMemoryAttempts extends InMemorySettling {
  readonly #now: () => number

  constructor(now: () => number, database?: ModelDatabase) {
    super(now, database)
    this.#now = now
  }

  claimUnitsIfDue(request: ClaimRequest): ClaimOutcome {
    return this.atomically(() => {
      const { now, limitKey } = request
      const forGpu = request.executor === 'gpu'
      const job = this.find(request.jobId)
      const due = job === undefined ? null : this.nextDue(job, forGpu, limitKey)
      const free = job?.concurrency == null ? request.limit : job.concurrency - countsOf(this.state, job).running
      const count = Math.min(request.limit, free)
      if (job === undefined || due === null || due > now || count <= 0) return { units: [], job: null, nextDueAt: due }
      if (!this.state.workers.has(request.workerId)) throw new Error(`no worker ${request.workerId}`)
      const units = unitsOf(this.state, job)
        .filter((unit) => unit.state === 'available' && unit.forGpu === forGpu)
        .filter((unit) => unit.limitKey === limitKey && unit.availableAt <= now)
        .sort((left, right) => left.availableAt - right.availableAt || left.position - right.position)
        .slice(0, count)
        .sort((left, right) => left.position - right.position)
      for (const unit of units) this.#start(unit, request)
      for (const lane of request.countedLanes ?? []) {
        for (const _unit of units) this.state.laneStarts.push({ ...lane, startedAt: now })
      }
      if (job.state === 'queued') {
        job.state = 'running'
        job.startedAt = now
        this.tell('job.started', job.id, null, {}, now)
      }
      this.#tellOfStarts(units, request)
      if (forGpu) job.gpuWaitsSince = null
      return {
        units: units.map((unit) => viewUnit(unit) as Unit & { state: 'running' }),
        job: viewJob(this.state, job),
        nextDueAt: this.nextDue(job, forGpu, limitKey),
      }
    })
  }

  recordRunnerIfHeld(fence: Fence, runner: RunnerIdentity): boolean {
    return this.atomically(() => {
      const attempt = this.held(fence)?.attempts.at(-1)
      if (attempt === undefined) return false
      attempt.runner = { ...runner }
      return true
    })
  }

  recordProgressIfHeld(fence: Fence, progress: Progress | null, elapsedMs: number, _now: number): boolean {
    return this.atomically(() => {
      const unit = this.held(fence)
      const attempt = unit?.attempts.at(-1)
      if (unit === undefined || attempt === undefined) return false
      attempt.elapsedMs = Math.round(elapsedMs)
      if (progress !== null) unit.progress = { attempt: unit.attempt, value: { ...progress } }
      return true
    })
  }

  recordCheckpointIfHeld(fence: Fence, { state, format }: Checkpoint): boolean {
    return this.atomically(() => {
      const unit = this.held(fence)
      if (unit === undefined) return false
      unit.checkpoint = { text: JSON.stringify(state), format }
      return true
    })
  }

  recordArtifactsIfHeld(fence: Fence, artifacts: readonly ArtifactFacts[]): boolean {
    return this.atomically(() => {
      const attempt = this.held(fence)?.attempts.at(-1)
      if (attempt === undefined) return false
      const byName = new Map([...attempt.artifacts, ...artifacts].map((artifact) => [artifact.name, { ...artifact }]))
      attempt.artifacts = [...byName.values()]
      return true
    })
  }

  adoptUnitIfHeld(fence: Fence, workerId: string): Fence | null {
    return this.atomically(() => {
      const unit = this.held(fence)
      const attempt = unit?.attempts.at(-1)
      if (unit === undefined || attempt === undefined) return null
      if (!this.state.workers.has(workerId)) throw new Error(`no worker ${workerId}`)
      unit.workerId = workerId
      attempt.workerId = workerId
      this.tell('unit.adopted', unit.jobId, unit.id, { attempt: unit.attempt, worker_id: workerId }, this.#now())
      return { ...fence, workerId }
    })
  }

  completeUnitIfHeld(fence: Fence, output: Json, facts: EndFacts): UnitEnd | null {
    return this.end(fence, 'completed', facts, (unit) => {
      unit.output = output
      unit.checkpoint = null
      unit.state = 'completed'
      return facts.error
    })
  }

  completeUnitsIfHeld(ends: readonly HeldOutput[], now: number): readonly BatchEnd[] {
    const byJob = new Map<string, BatchEnd>()
    for (const { fence, output, ...facts } of ends) {
      const ended = this.completeUnitIfHeld(fence, output, { exitCode: null, error: null, now, ...facts })
      if (ended === null) continue
      const { id } = ended.job
      const unitIds = [...(byJob.get(id)?.unitIds ?? []), ended.unit.id]
      byJob.set(id, { job: ended.job, unitIds, settled: ended.settled })
    }
    return [...byJob.values()]
  }

  failUnitIfHeld(
    fence: Fence,
    outcome: 'failed' | 'timed_out',
    retryAt: number | null,
    output: Json,
    facts: EndFacts,
  ): UnitEnd | null {
    return this.end(fence, outcome, facts, (unit, job) => {
      unit.output = output
      unit.failures += 1
      if (retryAt !== null) unit.availableAt = retryAt
      unit.state = retryAt !== null && unit.failures < job.maxAttempts ? 'available' : 'failed'
      return facts.error
    })
  }

  loseUnitIfHeld(
    fence: Fence,
    options: { mayRerun: boolean; countsAsCrash: boolean; retryAt: number },
    facts: EndFacts,
  ): UnitEnd | null {
    return this.end(fence, 'lost', facts, (unit, job) => {
      if (options.countsAsCrash) unit.crashes += 1
      unit.availableAt = options.retryAt
      const isPoison = options.countsAsCrash && unit.crashes >= poisonLimit
      unit.state = options.mayRerun && !isPoison ? 'available' : 'failed'
      return isPoison && job.cancelRequestedAt === null ? poison(unit.crashes, facts.error) : facts.error
    })
  }

  deferUnitIfHeld(fence: Fence, until: number, output: Json, facts: EndFacts): UnitEnd | null {
    return this.end(fence, 'rate_limited', facts, (unit) => {
      unit.output = output
      unit.availableAt = until
      unit.state = 'available'
      return facts.error
    })
  }

  releaseUnitIfHeld(fence: Fence, facts: EndFacts): UnitEnd | null {
    return this.end(fence, 'released', facts, (unit) => {
      unit.availableAt = facts.now
      unit.state = 'available'
      return facts.error
    })
  }

  cancelUnitIfHeld(fence: Fence, output: Json, facts: EndFacts): UnitEnd | null {
    const unit = this.held(fence)
    if (unit === undefined || this.get(unit.jobId).cancelRequestedAt === null) return null
    return this.end(fence, 'cancelled', facts, (held) => {
      held.output = output
      held.state = 'cancelled'
      return facts.error
    })
  }

  shiftRetries(byMs: number): number {
    return this.atomically(() => {
      const waiting = this.state.units.filter((unit) => unit.state === 'available' && unit.attempt > 0)
      const moved = waiting.filter((unit) => unit.availableAt > 0)
      for (const unit of moved) unit.availableAt = Math.max(0, unit.availableAt + byMs)
      return moved.length
    })
  }

  #start(unit: ModelUnit, request: ClaimRequest): void {
    const { nonce, workerId, executor, mode, now } = request
    unit.state = 'running'
    unit.attempt += 1
    unit.nonce = nonce
    unit.workerId = workerId
    const fallbackReason = executor === 'gpu' ? null : (unit.gpuHistory?.fallbackReason ?? null)
    unit.attempts.push({
      attempt: unit.attempt,
      nonce,
      workerId,
      executor,
      mode: fallbackReason === null ? mode : 'local (gpu fallback)',
      outcome: 'running',
      startedAt: now,
      finishedAt: null,
      error: null,
      exitCode: null,
      elapsedMs: 0,
      outputBytes: 0,
      droppedBytes: 0,
      runner: null,
      remote: null,
      device: null,
      fallbackReason,
      artifacts: [],
    })
  }

  #tellOfStarts(units: readonly ModelUnit[], { jobId, mode, now }: ClaimRequest): void {
    const [first] = units
    if (first === undefined) return
    if (units.length === 1) {
      const data = { position: first.position, attempt: first.attempt, mode }
      this.tell('unit.started', jobId, first.id, data, now)
      return
    }
    const positions = [first.position, units.at(-1)?.position ?? 0]
    this.tell('units.started', jobId, null, { count: units.length, positions }, now)
  }

  protected end(
    fence: Fence,
    outcome: Exclude<AttemptOutcome, 'running'>,
    facts: EndFacts,
    change: (unit: ModelUnit, job: ModelJob) => ErrorRecord | null,
  ): UnitEnd | null {
    return this.atomically(() => {
      const unit = this.held(fence)
      const attempt = unit?.attempts.at(-1)
      if (unit === undefined || attempt === undefined) return null
      const job = this.get(unit.jobId)
      const error = change(unit, job)
      if (job.cancelRequestedAt !== null && outcome !== 'completed') unit.state = 'cancelled'
      unit.nonce = null
      unit.workerId = null
      if (unit.state !== 'available') unit.finishedAt = facts.now
      if (unit.finalStep && unit.state !== 'available') job.finalStep = 'done'
      const { exitCode, outputBytes, droppedBytes, now } = facts
      const elapsedMs = Math.round(facts.elapsedMs)
      Object.assign(attempt, { outcome, error, exitCode, elapsedMs, outputBytes, droppedBytes, finishedAt: now })
      this.tell(endEvent(unit.state, outcome), job.id, unit.id, endData(unit, outcome, error), now)
      if (countsOf(this.state, job).failed > 0 && !unit.finalStep) this.#stopIfHopeless(job, now)
      const settled = this.advance(job, now)
      if (!settled) this.#noteEnd(job, unit)
      return { unit: viewUnit(unit), job: viewJob(this.state, job), settled }
    })
  }

  #stopIfHopeless(job: ModelJob, now: number): void {
    const { failureBudget: budget } = job
    const isOver = isOverBudgetEarly(budget, countsOf(this.state, job), this.waitingItems(job.id))
    if (budget.stopEarly && isOver && this.stop(job, 'unit_failed', now)) this.state.notes.stops.add(job.id)
  }

  #noteEnd(job: ModelJob, unit: ModelUnit): void {
    const { available } = countsOf(this.state, job)
    if (job.concurrency !== null && available > 0) this.state.notes.jobs.add(job.id)
    else if (unit.state === 'available') this.noteLane(job, unit.limitKey)
  }

  protected held(fence: Fence): ModelUnit | undefined {
    return this.state.units.find(
      (unit) =>
        unit.id === fence.unitId &&
        unit.state === 'running' &&
        unit.attempt === fence.attempt &&
        unit.nonce === fence.nonce &&
        unit.workerId === fence.workerId,
    )
  }
}
