import type { Job, Json } from '../../domain/job.ts'
import type { JobStore } from '../../domain/ports/job-store.ts'

/** A dependency with more units passes the results of the first ones. */
const mostResults = 1_000
/** Jobs whose values are kept: claims alternate between a few jobs. */
const mostJobs = 16

/**
 * What a job finds of the jobs that it depended on: `{{dependencies.fit.result.value}}`. They have ended when it starts, so that
 * their values are read once and not for every unit.
 */
export class DependencyValues {
  readonly #store: JobStore
  readonly #known = new Map<string, ReadonlyMap<string, Json>>()

  constructor(store: JobStore) {
    this.#store = store
  }

  /** @returns id, state and result by name; the result of a job with several units is a list by position */
  of(job: Job): ReadonlyMap<string, Json> {
    const known = this.#known.get(job.id)
    if (known !== undefined) return known
    const values = readValues(this.#store, job)
    const oldest = this.#known.size >= mostJobs ? this.#known.keys().next().value : undefined
    if (oldest !== undefined) this.#known.delete(oldest)
    this.#known.set(job.id, values)
    return values
  }
}

function readValues(store: JobStore, job: Job): ReadonlyMap<string, Json> {
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

/** @returns what a unit has to tell: what its command left in NIGHTKILN_RESULT, what its handler returned, else its whole output. */
export function resultOf(output: Json): Json {
  if (typeof output === 'object' && output !== null && !Array.isArray(output) && output['result'] !== undefined) {
    return output['result']
  }
  return output
}
