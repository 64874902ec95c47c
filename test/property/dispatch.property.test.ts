/*
 * Random clients, queues, keys, limits, ends, holds, pauses and restarts on a real dispatcher and store with a fake clock.
 *
 * It was seen to catch each of these planted bugs (test/mutants/queue-*.patch, `npm run mutants -- queue-`):
 *   queue-key-limit-off-by-one     a key that runs one more than its limit
 *   queue-fair-share-by-age        the oldest job first, whoever submitted it
 *   queue-parked-lane-forgotten    a lane that waits for its key and is never looked at again
 *   manager-gpu-overbooked         places at GPU workers that claims of the same commit took, given away again
 *   queue-rate-forgotten           a job without rate limit that makes the key forget the starts of the others
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { RateLimit } from '../../src/domain/job.ts'
import type { Priority } from '../../src/domain/states.ts'
import { rounds } from '../support/rounds.ts'
import { checkStarts, checkWaiting } from './dispatch-invariants.ts'
import { DispatchWorld, type JobPlan, type Step } from './dispatch-world.ts'

const runs = Number(process.env['PROPERTY_RUNS'] ?? rounds(100, 1_000))
const seed = process.env['PROPERTY_SEED']
const endOnFailure = process.env['PROPERTY_END_ON_FAILURE'] === '1'

const queue = fc.constantFrom('default', 'slow')
const key = fc.constantFrom(null, 'a.org', 'b.org')
const few = fc.integer({ min: 1, max: 3 })
const rate: fc.Arbitrary<RateLimit> = fc.record({ count: few, windowMs: fc.constantFrom(300, 1_000) })

const plan: fc.Arbitrary<JobPlan> = fc.record({
  client: fc.constantFrom('ann', 'bob', 'eve'),
  type: fc.constantFrom('command' as const, 'command' as const, 'single' as const),
  queue,
  // Mostly alike: shares are among equals.
  priority: fc.constantFrom<Priority>(2, 2, 2, 2, 3, 1),
  gpu: fc.constantFrom(false, false, true),
  concurrency: fc.option(few, { freq: 2 }),
  keyLimits: fc.option(fc.record({ concurrency: fc.option(few), rate: fc.option(rate) }), { freq: 3 }),
  keys: fc.array(key, { minLength: 1, maxLength: 8 }),
})

const place = fc.nat(30)
const end = fc.record({
  kind: fc.constant('end' as const),
  place,
  how: fc.constantFrom(
    'completed' as const,
    'completed' as const,
    'completed' as const,
    'released' as const,
    'slowed' as const,
  ),
})

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('submit' as const), plan }) },
  { weight: 10, arbitrary: end },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('advance' as const), ms: fc.integer({ min: 1, max: 900 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('hold' as const),
      lane: fc.record({ queue, key: key.map((name) => name ?? '') }),
      ms: fc.integer({ min: 1, max: 2_000 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('limit' as const),
      queue,
      concurrency: fc.option(few),
      rate: fc.option(rate),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('pauseQueue' as const, 'resumeQueue' as const), queue }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('endHolds' as const), queue }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('pauseJob' as const, 'resumeJob' as const), place }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('places' as const), count: fc.nat(4) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
)

const history = fc.record({
  slots: fc.integer({ min: 1, max: 6 }),
  steps: fc.array(step, { minLength: 1, maxLength: 60, size: 'max' }),
})

async function live(world: DispatchWorld, steps: readonly Step[]): Promise<void> {
  const take = async (next: Step) => {
    const before = world.starts.length
    await world.apply(next)
    const fresh = world.starts.slice(before)
    checkStarts(world, fresh)
    checkWaiting(world, fresh)
  }
  for (const next of steps) await take(next)
  await driveOn(world, take)
}

/** Takes every stop away and ends whatever runs: then nothing may be left. */
async function driveOn(world: DispatchWorld, take: (step: Step) => Promise<void>): Promise<void> {
  await take({ kind: 'places', count: 3 })
  for (const name of ['default', 'slow']) await take({ kind: 'resumeQueue', queue: name })
  for (let job = 0; job < world.plans.size; job += 1) await take({ kind: 'resumeJob', place: job })
  const longest = 2_500 + 1_000 * [...world.plans.values()].reduce((sum, { keys }) => sum + keys.length, 0)
  for (let passed = 0; passed < longest; passed += 500) {
    while (world.running.length > 0) await take({ kind: 'end', place: 0, how: 'completed' })
    if (world.dispatcher.waitingJobs === 0) break
    await take({ kind: 'advance', ms: 500 })
  }
  const unfinished = [...world.plans.keys()].filter((id) => world.store.readJob(id)?.state !== 'completed')
  expect(unfinished, 'jobs that were forgotten').toEqual([])
  expect(world.dispatcher.waitingJobs, 'lanes that still wait').toBe(0)
  for (const kind of ['command', 'gpu'] as const) expect(world.dispatcher.slotsOfKind(kind).busy).toBe(0)
}

test('limits hold at every start, nobody is passed over, nothing waits beside a free slot, and everything ends', async () => {
  await fc.assert(
    fc.asyncProperty(history, async ({ slots, steps }) => {
      const world = new DispatchWorld(slots)
      try {
        await live(world, steps)
      } finally {
        world.close()
      }
    }),
    { numRuns: runs, endOnFailure, ...(seed === undefined ? {} : { seed: Number(seed) }) },
  )
})
