import { type ErrorRecord, errorKinds } from '../../../src/domain/errors.ts'
import type { FailureBudget, JsonObject, UnitCounts } from '../../../src/domain/job.ts'
import type { NewUnit } from '../../../src/domain/ports/source-store.ts'
import type { AttemptOutcome, FinalJobState, UnitState } from '../../../src/domain/states.ts'
import type { ModelJob, ModelUnit } from './model-state.ts'

export function newUnit(unit: NewUnit, jobId: string, position: number, forGpu: boolean): ModelUnit {
  const { id, input, key = null, limitKey = null } = structuredClone(unit)
  return {
    id,
    jobId,
    position,
    key,
    limitKey,
    finalStep: false,
    input,
    output: null,
    state: 'available',
    availableAt: 0,
    attempt: 0,
    nonce: null,
    workerId: null,
    failures: 0,
    crashes: 0,
    progress: null,
    checkpoint: null,
    forGpu,
    gpuHistory: null,
    finishedAt: null,
    attempts: [],
  }
}

/** How a job ends of which nothing can move any more. `isCutShort`: a source had more to give. */
export function settledState(
  job: ModelJob,
  counts: UnitCounts,
  final: ModelUnit | null,
  isCutShort: boolean,
): FinalJobState {
  const isFinalStepMissing = job.finalStep === 'waiting' || final?.state === 'cancelled'
  const wasPrevented = counts.cancelled > 0 || job.keepOpen || isCutShort || isFinalStepMissing
  if (job.cancelReason !== null && wasPrevented) {
    return ['unit_failed', 'deadline', 'source'].includes(job.cancelReason) ? 'failed' : 'cancelled'
  }
  return final?.state === 'failed' || isOverBudget(job.failureBudget, counts.failed, counts.total)
    ? 'failed'
    : 'completed'
}

export function isOverBudget({ units, percent }: FailureBudget, failed: number, total: number): boolean {
  if (units === null && percent === null) return failed > 0
  return (units !== null && failed > units) || (percent !== null && failed * 100 > percent * total)
}

/** The budget as it is judged while the job runs: a percentage only once ten units have ended. */
export function isOverBudgetEarly(budget: FailureBudget, counts: UnitCounts, waiting: number): boolean {
  const ended = counts.completed + counts.failed + counts.cancelled
  if (budget.percent === null || ended >= 10) return isOverBudget(budget, counts.failed, counts.total + waiting)
  return budget.units !== null && counts.failed > budget.units
}

export function endEvent(state: UnitState, outcome: AttemptOutcome): string {
  if (state !== 'available') return `unit.${state}`
  return outcome === 'failed' || outcome === 'timed_out' ? 'unit.retrying' : `unit.${outcome}`
}

export function endData(unit: ModelUnit, outcome: AttemptOutcome, error: ErrorRecord | null): JsonObject {
  const { position, attempt } = unit
  return {
    position,
    attempt,
    outcome,
    ...(error === null ? {} : { error_code: error.code }),
    ...(unit.state === 'available' ? { available_at: unit.availableAt } : {}),
  }
}

export function poison(crashes: number, last: ErrorRecord | null): ErrorRecord {
  const because = last === null ? '' : `; the last: ${last.message}`
  return {
    code: 'poison',
    message: `${crashes} attempts of the unit died without an outcome${because}`,
    remedy: errorKinds.poison.remedy,
    ...(last === null ? {} : { details: { last_code: last.code } }),
  }
}
