import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { HistoryReader } from '../../../src/domain/ports/history-reader.ts'
import type { AttemptName } from '../../../src/domain/ports/history-store.ts'
import type { NewJob } from '../../../src/domain/ports/job-store.ts'
import { JobDeletion } from '../../../src/manager/runtime/job-deletion.ts'
import type { ServiceContext } from '../../../src/manager/services/service-context.ts'
import { HistoryReads } from '../../../src/persistence/history-reads.ts'
import { claim, facts, jobIdOf, newJob, start, submit, worker } from '../../conformance/support/jobs.ts'
import { openQueue } from './queue-under-test.ts'

const instanceId = 'instance-1'

/** A queue with jobs that have ended, what reads and deletes them, and the files that deletion asked to remove. */
export function openHistory() {
  const queue = openQueue()
  const { store, commits, clock, databaseFile } = queue
  store.adoptInstanceId(instanceId, start)
  store.registerWorker(worker, start, start + 1_000)
  const reads = new HistoryReads(databaseFile, instanceId)
  onTestFinished(() => reads.close())
  const removed: AttemptName[] = []
  const warnings: string[] = []
  let removing: () => Promise<void> = () => Promise.resolve()
  const deletion = new JobDeletion({
    store,
    commits,
    clock,
    log: { warn: (_details, message) => warnings.push(message) },
    removeAttempts: async (attempts) => {
      await removing()
      removed.push(...attempts)
    },
  })
  const context = {
    store,
    commits,
    clock,
    reader: asReader(reads),
    deletion,
    facts: { home: join(databaseFile, '..') },
  } as unknown as ServiceContext
  return {
    ...queue,
    context,
    reader: asReader(reads),
    deletion,
    removed,
    warnings,
    /** Runs before the files of a deleted slice are removed. */
    beforeRemoving(work: () => Promise<void>) {
      removing = work
    },
    /** A job of one unit that completed at `endedAt`. */
    complete(number: number, endedAt: number, changes: Partial<NewJob> = {}, outputBytes = 20) {
      submit(store, newJob(number, { now: endedAt, ...changes }))
      const { fence } = claim(store, jobIdOf(number), { now: endedAt })
      store.completeUnitIfHeld(fence, { number }, facts({ now: endedAt, outputBytes }))
      return fence
    },
    ids: () => store.listJobs({}, { limit: 100 }).map((job) => Number(job.id.slice(-12))),
  }
}

/** The reads as the manager has them, without the thread. */
function asReader(reads: HistoryReads): HistoryReader {
  return new Proxy(reads, {
    get:
      (target, name) =>
      async (...given: unknown[]) =>
        Reflect.apply(Reflect.get(target, name) as () => unknown, target, given) as unknown,
  }) as unknown as HistoryReader
}
