import type { FinalJob, Job, QueuedJob, StartedJob, UnitCounts } from '../../src/domain/job.ts'

/** 2030-01-01 12:00 UTC: `now` of the tests that build jobs. */
export const noon = Date.UTC(2030, 0, 1, 12)

export function unitCounts(counts: Partial<UnitCounts>): UnitCounts {
  const all = { available: 0, running: 0, completed: 0, failed: 0, cancelled: 0, ...counts }
  return { total: all.available + all.running + all.completed + all.failed + all.cancelled, ...all }
}

const base: Omit<QueuedJob, 'state' | 'startedAt' | 'finishedAt' | 'error'> = {
  id: '01941f29-7c00-7000-8000-000000000001',
  seq: 1,
  type: 'command',
  queue: 'default',
  name: 'example',
  labels: {},
  priority: 2,
  runAt: noon - 60_000,
  concurrency: null,
  maxAttempts: 1,
  rerunOf: null,
  submittedBy: 'test',
  pausedAt: null,
  frozenAt: null,
  heldAt: null,
  holdKind: null,
  decision: null,
  sealedAt: noon - 60_000,
  keepOpen: false,
  testUnits: null,
  keyLimits: null,
  openDependencies: 0,
  failureBudget: { units: null, percent: null, stopEarly: false },
  finalStep: null,
  scheduleId: null,
  gpu: 'never',
  gpuWaitsSince: null,
  cancelRequestedAt: null,
  cancelReason: null,
  counts: unitCounts({ available: 1 }),
  createdAt: noon - 60_000,
}

type Changes<Kind extends Job> = Partial<Omit<Kind, 'state'>>

export function queuedJob(changes: Changes<QueuedJob> = {}): QueuedJob {
  return { ...base, startedAt: null, finishedAt: null, error: null, ...changes, state: 'queued' }
}

/** Started ten seconds before noon. */
export function startedJob(changes: Changes<StartedJob> = {}): StartedJob {
  const counts = unitCounts({ running: 1 })
  return { ...base, counts, startedAt: noon - 10_000, finishedAt: null, error: null, ...changes, state: 'running' }
}

/** Ran from 192 s before noon until noon. */
export function finalJob(state: FinalJob['state'], changes: Changes<FinalJob> = {}): FinalJob {
  const counts = unitCounts({ [state]: 1 })
  return { ...base, counts, startedAt: noon - 192_000, finishedAt: noon, error: null, ...changes, state }
}
