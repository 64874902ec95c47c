import { harmlessJson } from '../../domain/display-text.ts'
import type { Job, Json } from '../../domain/job.ts'
import type { JobView } from '../../domain/wire/shared.ts'
import { resultOf } from '../runtime/dependency-values.ts'
import { boundedJson } from './bounded-json.ts'
import type { ServiceContext } from './service-context.ts'

type Review = NonNullable<JobView['review']>

const resultsShown = 5
const resultBytes = 300
const mostTestUnits = 1_000

/**
 * What a person needs to approve or reject the rest of a job that is held after its test units: how they ended, what they
 * left, how long they took, what they cost, and the same for the rest.
 */
export function jobReview(context: ServiceContext, job: Job, unitsWaiting: number): Review {
  const { store, dispatcher } = context
  const units = store.readUnits(job.id, { limit: mostTestUnits })
  const outcomes = units.map((unit) => {
    const attempt = store.readAttempts(unit.id).at(-1)
    const ms = attempt?.finishedAt == null ? null : attempt.finishedAt - attempt.startedAt
    return { unit, ms, result: resultOf(store.readUnitPayload(unit.id)?.output ?? null) }
  })
  const costs = outcomes.flatMap(({ result }) => costOf(result) ?? [])
  const cost = costs.length === 0 ? null : costs.reduce((sum, each) => sum + each, 0)
  const seconds = medianSeconds(outcomes.flatMap(({ ms }) => ms ?? []))
  const atOnce = Math.min(job.concurrency ?? Number.POSITIVE_INFINITY, dispatcher.slotsOf(job.type).total)
  return {
    units_run: units.length,
    completed: job.counts.completed,
    failed: job.counts.failed,
    units_waiting: unitsWaiting,
    unit_seconds: seconds,
    rest_seconds: seconds === null ? null : rounded((seconds * unitsWaiting) / atOnce),
    cost: cost === null ? null : significant(cost),
    rest_cost: cost === null ? null : significant((cost / costs.length) * unitsWaiting),
    results: outcomes.slice(0, resultsShown).map(({ unit, result }) => ({
      unit: unit.position,
      state: unit.state,
      result: boundedJson(harmlessJson(result), resultBytes).value,
    })),
  }
}

function costOf(result: Json): number | null {
  if (typeof result !== 'object' || result === null || Array.isArray(result)) return null
  const { cost } = result
  return typeof cost === 'number' ? cost : null
}

function medianSeconds(durations: readonly number[]): number | null {
  const sorted = [...durations].sort((left, right) => left - right)
  const middle = sorted[Math.floor(sorted.length / 2)]
  return middle === undefined ? null : rounded(middle / 1000)
}

/** A tenth of a cent a unit is money when there are a million. */
function significant(value: number): number {
  return Number(value.toPrecision(4))
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100
}
