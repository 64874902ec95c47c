import { uuidv7 } from 'uuidv7'
import type { NewJob } from '../../src/domain/ports/job-store.ts'
import { jobOptions } from './job-options.ts'

/** A job of one unit, due at `now`, everything else as a client leaves it; its key is its name. */
export function newJob(now: number, key: string, changes: Partial<NewJob> = {}): NewJob {
  return {
    id: uuidv7(),
    type: 'command',
    queue: 'default',
    name: key,
    labels: {},
    priority: 2,
    params: {},
    options: jobOptions,
    context: null,
    runAt: now,
    concurrency: null,
    maxAttempts: 1,
    rerunOf: null,
    submittedBy: 'test',
    idempotencyKey: key,
    contentHash: key,
    workHash: null,
    units: [{ id: uuidv7(), input: null }],
    source: null,
    keepOpen: false,
    testUnits: null,
    keyLimits: null,
    failureBudget: { units: null, percent: null, stopEarly: false },
    finalStep: null,
    dependencies: [],
    scheduleId: null,
    gpu: 'never',
    now,
    ...changes,
  }
}
