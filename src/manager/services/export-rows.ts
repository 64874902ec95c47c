import type { Job, JsonObject } from '../../domain/job.ts'
import type { UnitRecord } from '../../domain/ports/history-reader.ts'
import { priorityName } from '../../domain/states.ts'
import { resultOf } from '../runtime/dependency-values.ts'
import type { ExportRow } from './export-format.ts'

export function jobRow(job: Job, params: JsonObject): ExportRow {
  return {
    id: job.id,
    name: job.name,
    type: job.type,
    state: job.state === 'completed' && job.counts.failed > 0 ? 'completed_with_failures' : job.state,
    queue: job.queue,
    priority: priorityName(job.priority),
    gpu: job.gpu,
    labels: { ...job.labels },
    created_at: iso(job.createdAt),
    started_at: isoOrNull(job.startedAt),
    finished_at: isoOrNull(job.finishedAt),
    duration_s: seconds(job.startedAt, job.finishedAt),
    units: job.counts.total,
    units_completed: job.counts.completed,
    units_failed: job.counts.failed,
    units_cancelled: job.counts.cancelled,
    error_code: job.error?.code ?? null,
    error: job.error?.message ?? null,
    rerun_of: job.rerunOf,
    submitted_by: job.submittedBy,
    params,
  }
}

export function unitRow(job: Job, { unit, input, output, lastAttempt }: UnitRecord): ExportRow {
  return {
    job_id: job.id,
    job_name: job.name,
    unit: unit.position,
    key: unit.key,
    final_step: unit.finalStep,
    state: unit.state,
    attempts: unit.attempt,
    failures: unit.failures,
    exit_code: lastAttempt?.exitCode ?? null,
    execution_mode: lastAttempt?.mode ?? null,
    device: lastAttempt?.device ?? null,
    gpu_worker: lastAttempt?.remote?.worker ?? null,
    fallback_reason: lastAttempt?.fallbackReason?.message ?? null,
    started_at: isoOrNull(lastAttempt?.startedAt ?? null),
    finished_at: isoOrNull(lastAttempt?.finishedAt ?? null),
    duration_s: seconds(lastAttempt?.startedAt ?? null, lastAttempt?.finishedAt ?? null),
    error_code: lastAttempt?.error?.code ?? null,
    error: lastAttempt?.error?.message ?? null,
    input,
    result: output === null ? null : resultOf(output),
  }
}

function seconds(from: number | null, to: number | null): number | null {
  return from === null || to === null ? null : Math.max(0, to - from) / 1000
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}

function isoOrNull(ms: number | null): string | null {
  return ms === null ? null : iso(ms)
}
