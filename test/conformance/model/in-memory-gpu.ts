import type { ErrorRecord } from '../../../src/domain/errors.ts'
import type { Fence } from '../../../src/domain/job.ts'
import type { GpuHistory, GpuReturn, GpuStore, GpuWaiter, ModeCount } from '../../../src/domain/ports/gpu-store.ts'
import type { EndFacts, UnitEnd } from '../../../src/domain/ports/job-store.ts'
import type { RemoteIdentity } from '../../../src/domain/ports/remote-executor.ts'
import { InMemoryControls } from './in-memory-controls.ts'
import { compareKeys } from './in-memory-job-reads.ts'
import type { ModelAttempt, ModelJob, ModelUnit } from './model-state.ts'
import { unitsOf } from './model-views.ts'

/** Where units of the model stand with GPU workers. */
export abstract class InMemoryGpu extends InMemoryControls implements GpuStore {
  recordRemoteIfHeld(fence: Fence, remote: RemoteIdentity): boolean {
    return this.#change(fence, (attempt) => {
      attempt.remote = { ...remote }
    })
  }

  recordDeviceIfHeld(fence: Fence, device: string, mode: string | null): boolean {
    return this.#change(fence, (attempt) => {
      attempt.device = device
      attempt.mode = mode ?? attempt.mode
    })
  }

  returnUnitIfHeld(fence: Fence, { to, restarted, availableAt }: GpuReturn, facts: EndFacts): UnitEnd | null {
    return this.end(fence, 'released', facts, (unit) => {
      unit.availableAt = availableAt ?? facts.now
      unit.state = 'available'
      unit.forGpu = to === 'gpu'
      const { restarts, fallbackReason } = unit.gpuHistory ?? { restarts: 0, fallbackReason: null }
      const reason = to === 'gpu' ? fallbackReason : facts.error
      if (restarted || to === 'local')
        unit.gpuHistory = { restarts: restarts + (restarted ? 1 : 0), fallbackReason: reason }
      return facts.error
    })
  }

  readGpuHistory(unitIds: readonly string[]): ReadonlyMap<string, GpuHistory> {
    return new Map(
      this.state.units.flatMap(({ id, gpuHistory }) =>
        gpuHistory === null || !unitIds.includes(id) ? [] : [[id, structuredClone(gpuHistory)]],
      ),
    )
  }

  readGpuWaiters(now: number, limit: number): readonly GpuWaiter[] {
    return this.state.jobs
      .filter((job) => this.readGpuLanes(job.seq, now).length > 0)
      .sort((left, right) => Number(left.gpu === 'require') - Number(right.gpu === 'require'))
      .slice(0, limit)
      .map((job) => ({
        jobId: job.id,
        seq: job.seq,
        type: job.type,
        preference: job.gpu,
        since: job.gpuWaitsSince,
        isServed: unitsOf(this.state, job).some(
          ({ state, attempts }) => state === 'running' && attempts.at(-1)?.executor === 'gpu',
        ),
      }))
  }

  readGpuWaiter(jobSeq: number, now: number): GpuWaiter | null {
    return this.readGpuWaiters(now, Number.MAX_SAFE_INTEGER).find(({ seq }) => seq === jobSeq) ?? null
  }

  readGpuLanes(jobSeq: number, now: number): readonly (string | null)[] {
    return this.#lanes(jobSeq)
      .filter(({ forGpu, nextDueAt }) => forGpu && nextDueAt <= now)
      .map(({ limitKey }) => limitKey)
  }

  setGpuWait(jobSeq: number, since: number | null): void {
    this.atomically(() => {
      const job = this.#bySeq(jobSeq)
      if (job !== undefined && job.finishedAt === null) job.gpuWaitsSince = since
    })
  }

  placeUnitsHere(
    { jobId, seq }: Pick<GpuWaiter, 'jobId' | 'seq'>,
    reason: ErrorRecord | null,
    limit: number,
    now: number,
  ): number {
    return this.atomically(() => {
      const job = this.#bySeq(seq)
      if (job === undefined) return 0
      const units = unitsOf(this.state, job)
        .filter((unit) => unit.state === 'available' && unit.forGpu)
        .sort(inLaneOrder)
        .slice(0, limit)
      if (units.length === 0) return 0
      for (const unit of units) {
        unit.forGpu = false
        if (reason !== null) unit.gpuHistory = { restarts: unit.gpuHistory?.restarts ?? 0, fallbackReason: reason }
      }
      const data = { count: units.length, error_code: reason?.code ?? '', reason: reason?.message ?? '' }
      if (reason !== null) this.tell('units.fell_back', jobId, null, data, now)
      this.state.notes.jobs.add(job.id)
      return units.length
    })
  }

  readModes(jobId: string): readonly ModeCount[] {
    const job = this.find(jobId)
    if (job === undefined || job.gpu === 'never') return []
    const units = unitsOf(this.state, job).filter(({ finalStep }) => !finalStep)
    const last = units.flatMap((unit) => unit.attempts.at(-1) ?? [])
    const names = [...new Set(last.map(({ mode, device }) => `${mode}\0${device ?? ''}`))].sort()
    return names
      .map((name) => {
        const alike = last.filter(({ mode, device }) => `${mode}\0${device ?? ''}` === name)
        const [first] = alike as [ModelAttempt]
        const reasons = alike.flatMap(({ fallbackReason: reason }) => (reason === null ? [] : [JSON.stringify(reason)]))
        const reason = reasons.sort().at(-1)
        return {
          mode: first.mode,
          device: first.device,
          worker:
            alike
              .flatMap(({ remote }) => remote?.worker ?? [])
              .sort()
              .at(-1) ?? null,
          fallbackReason: reason === undefined ? null : (JSON.parse(reason) as ErrorRecord),
          units: alike.length,
          running: alike.filter(({ outcome }) => outcome === 'running').length,
        }
      })
      .sort((left, right) => right.units - left.units)
      .slice(0, 20)
  }

  #lanes(jobSeq: number) {
    const job = this.#bySeq(jobSeq)
    return job === undefined ? [] : this.lanesOf(job)
  }

  #bySeq(seq: number): ModelJob | undefined {
    return this.state.jobs.find((job) => job.seq === seq)
  }

  #change(fence: Fence, change: (attempt: ModelAttempt) => void): boolean {
    return this.atomically(() => {
      const attempt = this.held(fence)?.attempts.at(-1)
      if (attempt === undefined) return false
      change(attempt)
      return true
    })
  }
}

function inLaneOrder(left: ModelUnit, right: ModelUnit): number {
  return (
    compareKeys(left.limitKey, right.limitKey) || left.availableAt - right.availableAt || left.position - right.position
  )
}
