import { type ErrorRecord, errorKinds } from '../../../src/domain/errors.ts'
import type { Json, JsonObject } from '../../../src/domain/job.ts'
import type { AttemptOutcome, CancelReason, FinalJobState, UnitState } from '../../../src/domain/states.ts'
import type { ModelUnit } from './model-state.ts'

export const lateError: ErrorRecord = {
  code: 'attempt_timed_out',
  message: 'The job did not end within its total time.',
  remedy: 'Rerun it with more time.',
}

export function newUnit(id: string, jobId: string, position: number, input: Json): ModelUnit {
  return {
    id,
    jobId,
    position,
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
    finishedAt: null,
    attempts: [],
  }
}

export function settledState(reason: CancelReason | null, failed: number, cancelled: number): FinalJobState {
  if (cancelled > 0) return reason === 'unit_failed' || reason === 'deadline' ? 'failed' : 'cancelled'
  return failed > 0 ? 'failed' : 'completed'
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
    message: `${crashes} attempts of the unit vanished without an exit status${because}`,
    remedy: errorKinds.poison.remedy,
    ...(last === null ? {} : { details: { last_code: last.code } }),
  }
}
