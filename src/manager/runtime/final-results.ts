import type { Attempt, Json, JsonObject, Unit } from '../../domain/job.ts'
import type { JobStore } from '../../domain/ports/job-store.ts'
import { writeJsonLines } from '../../platform/json-lines-file.ts'
import { resultOf } from './dependency-values.ts'

const page = 100

/**
 * Writes what all units of a job gave, one line of JSON a unit: {unit, state, key, input, result, error, attempts, duration_s}. The
 * final step reads it. Memory stays flat and the event loop free, however many there are.
 * @param file appears whole or not at all, mode 0600
 */
export async function writeFinalResults(store: JobStore, jobId: string, file: string): Promise<void> {
  await writeJsonLines(resultLines(store, jobId), file, null)
}

async function* resultLines(store: JobStore, jobId: string): AsyncGenerator<Json, void, undefined> {
  let after = -1
  for (;;) {
    const units = store.readUnits(jobId, { afterPosition: after, limit: page })
    for (const unit of units) if (!unit.finalStep) yield resultLine(store, unit)
    const last = units.at(-1)
    if (last === undefined || units.length < page) return
    after = last.position
    await new Promise((resolve) => setImmediate(resolve))
  }
}

function resultLine(store: JobStore, unit: Unit): JsonObject {
  const payload = store.readUnitPayload(unit.id)
  const last = unit.attempt === 0 ? undefined : store.readAttempts(unit.id).at(-1)
  return {
    unit: unit.position,
    state: unit.state,
    key: unit.key,
    input: payload?.input ?? null,
    result: unit.state === 'completed' ? resultOf(payload?.output ?? null) : null,
    error: unit.state === 'completed' ? null : errorOf(last),
    attempts: unit.attempt,
    duration_s: last?.finishedAt == null ? null : Math.max(0, last.finishedAt - last.startedAt) / 1000,
  }
}

function errorOf(attempt: Attempt | undefined): Json {
  const error = attempt?.error
  return error == null ? null : { code: error.code, message: error.message, exit_code: attempt?.exitCode ?? null }
}
