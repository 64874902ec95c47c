import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { uuidv7 } from 'uuidv7'
import { onTestFinished } from 'vitest'
import { systemClock } from '../../../src/domain/clock.ts'
import type { Job, Json } from '../../../src/domain/job.ts'
import type { NewJob } from '../../../src/domain/ports/job-store.ts'
import type { NewSource } from '../../../src/domain/ports/source-store.ts'
import { UnitFeeder } from '../../../src/manager/runtime/unit-feeder.ts'
import { JobTypeRegistry } from '../../../src/manager/services/job-type-registry.ts'
import type { ServiceContext } from '../../../src/manager/services/service-context.ts'
import { newJob } from '../../support/new-job.ts'
import { noHandlers } from '../../support/no-handlers.ts'
import { waitUntil } from '../../support/wait-until.ts'
import { openQueue } from './queue-under-test.ts'

/** A store, a commit queue, a state directory and feeders on them: a manager as far as units go. */
export function openUnits() {
  const home = mkdtempSync(join(tmpdir(), 'nk-units-'))
  const queue = openQueue()
  const { store, commits, clock } = queue
  const feeders: UnitFeeder[] = []
  let jobs = 0
  onTestFinished(async () => {
    for (const feeder of feeders) await feeder.stop()
    rmSync(home, { recursive: true, force: true })
  })

  const feeder = (): UnitFeeder => {
    // Slices adapt to real time.
    const made = new UnitFeeder({
      store,
      commits,
      clock: systemClock,
      createId: uuidv7,
      home,
      log: pino({ level: 'silent' }),
    })
    feeders.push(made)
    return made
  }
  const submit = (source: NewSource | null, changes: Partial<NewJob> = {}): Job => {
    jobs += 1
    const submitted = store.submitJob(newJob(clock.now(), `job ${jobs}`, { units: [], source, ...changes }))
    if (submitted.kind !== 'created') throw new Error(submitted.kind)
    return submitted.job
  }
  const jobNow = (id: string): Job => {
    const job = store.readJob(id)
    if (job === null) throw new Error(`no job ${id}`)
    return job
  }
  const inputs = (id: string): Json[] => {
    const all: Json[] = []
    for (let after = -1; ; ) {
      const page = store.readUnits(id, { afterPosition: after, limit: 1_000 })
      for (const unit of page) if (!unit.finalStep) all.push(store.readUnitPayload(unit.id)?.input ?? null)
      const last = page.at(-1)
      if (last === undefined) return all
      after = last.position
    }
  }
  return {
    ...queue,
    home,
    feeder,
    submit,
    jobNow,
    inputs,
    sealed: (id: string) => waitUntil(() => jobNow(id).sealedAt !== null, { what: 'the end of its sources' }),
    /** What services touch of the context, for those that read and write units. */
    context: (wake: () => void = () => undefined) =>
      ({
        store,
        commits,
        clock,
        createId: uuidv7,
        facts: { home },
        feeder: { wake },
        storage: { healthy: true, assertAcceptsJobs: () => undefined },
        isDraining: () => false,
        dispatcher: {
          waitOfQueue: () => null,
          isQueuePaused: () => false,
          isTypeFull: () => false,
          slotsOf: () => ({ total: 2, busy: 0 }),
        },
        supervisor: { progressOf: () => null, estimateOf: () => null, silenceOf: () => null },
        throughput: { estimate: () => null },
        jobTypes: new JobTypeRegistry(noHandlers),
      }) as unknown as ServiceContext,
  }
}
