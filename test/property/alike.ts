import type { Consequences, RunnableJob, UpdateOutcome } from '../../src/domain/ports/job-store.ts'

/** @returns consequences in an order that does not depend on who tells them */
export function inOrder({ runnable, stops, settled, feed, sweeps }: Consequences): Consequences {
  const lanes = new Map(runnable.map((lane) => [nameOf(lane), lane]))
  return {
    runnable: [...lanes.keys()].sort().flatMap((name) => lanes.get(name) ?? []),
    stops: [...stops].sort((left, right) => (left.fence.unitId < right.fence.unitId ? -1 : 1)),
    settled,
    feed,
    sweeps,
  }
}

function nameOf({ seq, forGpu, limitKey }: RunnableJob): string {
  return `${String(seq).padStart(9, '0')} ${forGpu} ${limitKey ?? ''}`
}

/** @returns an outcome without what two implementations may find differently: the way around a cycle */
export function withoutWay(outcome: UpdateOutcome): UpdateOutcome {
  return outcome.kind === 'cycle' ? { kind: 'cycle', jobIds: [] } : outcome
}
