import type { z } from 'zod'
import { failureSignature } from '../../domain/failure-signature.ts'
import type { Job, Unit } from '../../domain/job.ts'
import type { JobStore } from '../../domain/ports/job-store.ts'
import type { failureGroup } from '../../domain/wire/units.ts'

type FailureGroup = z.infer<typeof failureGroup>

const mostScanned = 1_000
/** Between pages everything else gets a turn. */
const page = 50
const mostGroups = 10
const mostPositions = 10

/** @returns failed units of a job by what their failures have in common, most frequent first; of the first thousand. */
export async function failureGroups(store: JobStore, job: Job): Promise<FailureGroup[]> {
  const groups = new Map<string, { count: number; units: number[] }>()
  let after = -1
  for (let scanned = 0; scanned < Math.min(mostScanned, job.counts.failed); scanned += page) {
    const units = store.readUnits(job.id, { afterPosition: after, limit: page }, { states: ['failed'] })
    for (const unit of units) add(groups, unit, signatureOf(store, unit))
    const last = units.at(-1)
    if (last === undefined || units.length < page) break
    after = last.position
    await new Promise((resolve) => setImmediate(resolve))
  }
  return [...groups]
    .map(([signature, { count, units }]) => ({ signature, count, units }))
    .sort((left, right) => right.count - left.count)
    .slice(0, mostGroups)
}

function add(groups: Map<string, { count: number; units: number[] }>, unit: Unit, signature: string): void {
  const group = groups.get(signature) ?? { count: 0, units: [] }
  group.count += 1
  if (group.units.length < mostPositions) group.units.push(unit.position)
  groups.set(signature, group)
}

function signatureOf(store: JobStore, unit: Unit): string {
  const last = store.readAttempts(unit.id).at(-1)
  const tail: unknown = last?.error?.details?.['output_tail']
  return failureSignature(last?.error ?? null, last?.exitCode ?? null, typeof tail === 'string' ? tail : '')
}
