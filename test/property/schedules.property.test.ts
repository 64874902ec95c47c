/*
 * Random lives of schedules on the real store and commit queue: time passes, the clock jumps, managers die in the middle of
 * catching up, policies change. No due time makes two jobs, none is lost without a record.
 *
 * Seen to catch (test/mutants/, `npm run mutants -- manager-schedule`):
 *   manager-schedule-fires-twice     due times computed anew after every step back of the clock, a key per moment
 *   manager-schedule-missed-silent   missed due times without a record
 *   manager-schedule-overlap-ignored a job beside the unfinished one
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { missedPolicies, overlapPolicies } from '../../src/domain/states.ts'
import { dueTimes } from '../../src/manager/runtime/cron-times.ts'
import { rounds } from '../support/rounds.ts'
import { hour, openScheduler, type SchedulerUnderTest } from '../support/scheduler-under-test.ts'

const runs = Number(process.env['PROPERTY_RUNS'] ?? rounds(15, 150))
const seed = process.env['PROPERTY_SEED']
const endOnFailure = process.env['PROPERTY_END_ON_FAILURE'] === '1'
/** The night in which Berlin goes from +01 to +02. */
const start = Date.UTC(2030, 2, 30, 20)
const minute = 60_000

const operation = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('pass'), ms: fc.integer({ min: 1_000, max: 2 * hour }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('suspend'), ms: fc.integer({ min: minute, max: 9 * hour }) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('jump'), ms: fc.constantFrom(hour, -hour, -hour / 2) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('restart'), ms: fc.integer({ min: 0, max: 5 * hour }) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('crash'),
      ms: fc.integer({ min: 0, max: 9 * hour }),
      after: fc.integer({ min: 0, max: 4 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('end') }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('policies'),
      missed: fc.constantFrom(...missedPolicies),
      overlap: fc.constantFrom(...overlapPolicies),
    }),
  },
)
type Operation = typeof operation extends fc.Arbitrary<infer Value> ? Value : never

async function apply(under: SchedulerUnderTest, operation: Operation): Promise<void> {
  const { clock, store } = under
  if ('after' in operation) {
    clock.advance(operation.ms)
    let left = operation.after
    under.disturbances.prepare = async () => {
      if (left === 0) void under.scheduler().stop()
      left -= 1
    }
    await under.scheduler().runDue()
    delete under.disturbances.prepare
    await under.restart()
  } else if ('missed' in operation) {
    for (const schedule of store.readSchedules()) {
      store.saveSchedule({ ...schedule, missedPolicy: operation.missed, overlapPolicy: operation.overlap })
    }
    under.scheduler().wake()
  } else if ('ms' in operation) {
    if (operation.kind === 'restart') {
      await under.scheduler().stop()
      clock.advance(operation.ms)
      await under.restart()
    } else if (operation.kind === 'pass') clock.advance(operation.ms)
    else if (operation.kind === 'suspend') clock.suspend(operation.ms)
    else clock.jump(operation.ms)
  } else under.endJobs()
  await under.scheduler().runDue()
}

/** Every due time that has come is recorded once; what is recorded as submitted is exactly what there is. */
function check(under: SchedulerUnderTest, reached: number): void {
  const { store, clock } = under
  const allRuns = under.runs()
  const allJobs = under.jobs()
  for (const schedule of store.readSchedules()) {
    expect(schedule.nextRunAt).toBeGreaterThan(clock.now())
    const expected: number[] = []
    for (let time = dueTimes.next(schedule, start) ?? reached; time <= reached; ) {
      expected.push(time)
      time = dueTimes.next(schedule, time) ?? Number.POSITIVE_INFINITY
    }
    const recorded = allRuns.filter((run) => run.scheduleId === schedule.id)
    expect(recorded.map((run) => run.dueAt)).toEqual(expected)
    const submitted = recorded.filter((run) => run.outcome === 'submitted').map((run) => run.jobId)
    expect(submitted).toEqual(allJobs.filter((job) => job.scheduleId === schedule.id).map((job) => job.id))
    for (const run of recorded) expect(run.outcome === 'submitted' || run.error !== null).toBe(true)
  }
}

/** With "skip" and "cancel" at most one job of a schedule can run. */
function checkOverlap(under: SchedulerUnderTest): void {
  for (const schedule of under.store.readSchedules()) {
    const able = under
      .jobs()
      .filter((job) => job.scheduleId === schedule.id && job.finishedAt === null && job.openDependencies === 0)
    expect(able.length).toBeLessThanOrEqual(1)
  }
}

async function live(operations: readonly Operation[]): Promise<void> {
  const under = openScheduler(start)
  try {
    under.scheduler().start()
    await under.save({ everyMs: 25 * minute, missedPolicy: 'all', overlapPolicy: 'queue' })
    await under.save({ cron: '*/40 * * * *', everyMs: null, timeZone: 'Europe/Berlin' })
    await under.save({ cron: '30 2,5,8 * * *', everyMs: null, timeZone: 'Europe/Berlin', missedPolicy: 'skip' })
    let reached = start
    for (const operation of operations) {
      await apply(under, operation)
      reached = Math.max(reached, under.clock.now())
      check(under, reached)
      checkOverlap(under)
    }
  } finally {
    await under.close()
  }
}

test('no due time makes two jobs, none is lost without a record, the next one is always ahead', async () => {
  await fc.assert(fc.asyncProperty(fc.array(operation, { minLength: 15, maxLength: 60, size: 'max' }), live), {
    numRuns: runs,
    endOnFailure,
    ...(seed === undefined ? {} : { seed: Number(seed) }),
  })
})
