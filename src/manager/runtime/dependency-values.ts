import type { Job, Json } from '../../domain/job.ts'
import type { JobStore } from '../../domain/ports/job-store.ts'

/** A dependency with more units passes the results of the first ones. */
const mostResults = 1_000

/**
 * What a job's placeholders find of the jobs that it depended on: `{{dependencies.fit.result.value}}`.
 * @returns id, state and result by name; the result of a job with several units is a list by position
 */
export function dependencyValues(store: JobStore, job: Job): ReadonlyMap<string, Json> {
  const values = new Map<string, Json>()
  for (const { alias, jobId, state } of store.readDependencies(job.id)) {
    const results = store
      .readUnits(jobId, { limit: mostResults })
      .filter((unit) => !unit.finalStep)
      .map((unit) => resultOf(store.readUnitPayload(unit.id)?.output ?? null))
    values.set(alias, { id: jobId, state, result: results.length === 1 ? (results[0] ?? null) : results })
  }
  return values
}

/** @returns what a unit has to tell: what its command left in NIGHTKILN_RESULT, else its whole output. */
export function resultOf(output: Json): Json {
  if (typeof output === 'object' && output !== null && !Array.isArray(output) && output['result'] !== undefined) {
    return output['result']
  }
  return output
}
