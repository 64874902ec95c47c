import { harmlessJson } from '../../domain/display-text.ts'
import type { Job, Json, JsonObject } from '../../domain/job.ts'
import type { JobPayload } from '../../domain/ports/job-store.ts'
import { priorityName } from '../../domain/states.ts'
import type { JobView } from '../../domain/wire/shared.ts'

type Change = NonNullable<JobView['changes']>[number]

const mostChanges = 50

/** @returns what differs between a job and the one that it runs again, by path, at most 50 places. */
export function jobChanges(
  first: { readonly job: Job; readonly payload: JobPayload },
  second: { readonly job: Job; readonly payload: JobPayload },
): Change[] {
  const changes: Change[] = []
  collect('', comparable(first.job, first.payload), comparable(second.job, second.payload), changes)
  return changes.slice(0, mostChanges)
}

function comparable(job: Job, payload: JobPayload): JsonObject {
  const { failureBudget, keyLimits } = job
  return {
    params: payload.params,
    final_step: payload.finalStep?.params ?? null,
    limits: { ...payload.options } as unknown as JsonObject,
    queue: job.queue,
    priority: priorityName(job.priority),
    labels: { ...job.labels },
    max_attempts: job.maxAttempts,
    concurrency: job.concurrency,
    failure_budget: { ...failureBudget },
    key_limits: keyLimits as unknown as Json,
    units: job.counts.total,
  }
}

function collect(path: string, before: Json, after: Json, changes: Change[]): void {
  if (isObject(before) && isObject(after)) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
      collect(path === '' ? key : `${path}.${key}`, before[key] ?? null, after[key] ?? null, changes)
    }
    return
  }
  if (JSON.stringify(before) !== JSON.stringify(after)) {
    changes.push({ path, before: harmlessJson(before), after: harmlessJson(after) })
  }
}

function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
