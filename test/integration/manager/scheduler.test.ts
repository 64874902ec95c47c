import { describe, expect, onTestFinished, test } from 'vitest'
import { QueueError } from '../../../src/domain/errors.ts'
import { hour, openScheduler, type SchedulerUnderTest, workerId } from '../../support/scheduler-under-test.ts'

const minute = 60_000

function open(start?: number): SchedulerUnderTest {
  const under = openScheduler(start)
  onTestFinished(() => under.close())
  under.scheduler().start()
  return under
}

/** Due times as hours from the start with what became of them. */
function story({ runs, clock }: SchedulerUnderTest, start: number): string[] {
  expect(clock.now()).toBeGreaterThanOrEqual(0)
  return runs().map((run) => `${(run.dueAt - start) / hour} ${run.outcome}`)
}

const start = Date.UTC(2030, 0, 1)

describe('in time', () => {
  test('nothing happens before the due time; then one job, its record and the next due time', async () => {
    const under = open()
    const schedule = await under.save({ name: 'nightly' })
    under.clock.advance(hour - 1)
    await under.scheduler().runDue()
    expect(under.jobs()).toEqual([])
    expect(under.scheduler().nextRunAt()).toBe(start + hour)
    under.clock.advance(1)
    await under.scheduler().runDue()
    const [job] = under.jobs()
    expect(under.jobs()).toHaveLength(1)
    expect(job).toMatchObject({ name: 'nightly', scheduleId: schedule.id, state: 'queued' })
    expect(under.runs()).toMatchObject([{ dueAt: start + hour, outcome: 'submitted', jobId: job?.id, error: null }])
    expect(under.scheduler().nextRunAt()).toBe(start + 2 * hour)
  })

  test('the job knows which due time it is for', async () => {
    const under = open()
    await under.save({ name: 'nightly' })
    under.clock.advance(hour)
    await under.scheduler().runDue()
    expect(under.requests[0]).toMatchObject({
      idempotency_key: expect.stringMatching(/^schedule\/[0-9a-f-]+\/\d+$/),
      context: {
        environment: {
          PATH: '/bin',
          NIGHTKILN_SCHEDULE: 'nightly',
          NIGHTKILN_DUE_AT: new Date(start + hour).toISOString(),
        },
      },
    })
  })

  test('its own timer fires it', async () => {
    const under = open(Date.now())
    await under.save({ everyMs: 1_000 })
    under.clock.advance(1_000)
    under.scheduler().wake()
    await expect.poll(() => under.jobs()).toHaveLength(1)
  })

  test('a minute late is in time', async () => {
    const under = open()
    await under.save({ everyMs: hour, missedPolicy: 'skip', overlapPolicy: 'queue' })
    under.clock.advance(hour + 60_000)
    await under.scheduler().runDue()
    expect(under.runs().map((run) => run.outcome)).toEqual(['submitted'])
  })
})

describe('missed due times', () => {
  const absent = async (missedPolicy: 'once' | 'all' | 'skip', move: (under: SchedulerUnderTest) => Promise<void>) => {
    const under = open()
    await under.save({ missedPolicy, overlapPolicy: 'queue' })
    await move(under)
    return under
  }
  const waysAway = {
    'no manager ran': async (under: SchedulerUnderTest) => {
      await under.scheduler().stop()
      under.clock.advance(3.5 * hour)
      await under.restart()
    },
    'the machine slept': async (under: SchedulerUnderTest) => {
      under.clock.suspend(3.5 * hour)
      await under.scheduler().runDue()
    },
    'the clock jumped ahead': async (under: SchedulerUnderTest) => {
      under.clock.jump(3.5 * hour)
      await under.scheduler().runDue()
    },
  }

  describe.each(Object.entries(waysAway))('while %s', (_how, move) => {
    test('once: one job for the latest, the others are recorded', async () => {
      const under = await absent('once', move)
      expect(story(under, start)).toEqual(['1 missed', '2 missed', '3 submitted'])
      expect(under.jobs()).toHaveLength(1)
      expect(under.runs()[0]?.error).toBe(
        'nothing could run until 2 h 30 m later; one job runs for the latest due time',
      )
      expect(under.scheduler().nextRunAt()).toBe(start + 4 * hour)
    })

    test('all: one job each', async () => {
      const under = await absent('all', move)
      expect(story(under, start)).toEqual(['1 submitted', '2 submitted', '3 submitted'])
      expect(under.jobs()).toHaveLength(3)
    })

    test('skip: all are recorded, none runs', async () => {
      const under = await absent('skip', move)
      expect(story(under, start)).toEqual(['1 missed', '2 missed', '3 missed'])
      expect(under.jobs()).toEqual([])
      expect(under.scheduler().nextRunAt()).toBe(start + 4 * hour)
    })
  })

  test('of very many, a hundred run, two hundred are recorded and one record stands for the rest', async () => {
    const under = open()
    await under.save({ everyMs: minute, missedPolicy: 'all', overlapPolicy: 'queue' })
    under.clock.suspend(1_000 * minute + 5_000)
    await under.scheduler().runDue()
    const runs = under.runs()
    expect(under.jobs()).toHaveLength(100)
    expect(runs.filter((run) => run.outcome === 'submitted').map((run) => run.dueAt)).toEqual(
      Array.from({ length: 100 }, (_, index) => start + (901 + index) * minute),
    )
    const missed = runs.filter((run) => run.outcome === 'missed')
    expect(missed).toHaveLength(201)
    expect(missed[0]).toMatchObject({
      dueAt: start + 700 * minute,
      error: 'stands for 700 due times from 2030-01-01 00:01 UTC to 2030-01-01 11:40 UTC: nothing could run',
    })
    expect(under.scheduler().nextRunAt()).toBe(start + 1_001 * minute)
  })
})

describe('a clock that is set', () => {
  test('ahead and back by an hour: nothing fires twice, nothing is lost', async () => {
    const under = open()
    await under.save({ everyMs: 20 * minute, missedPolicy: 'all', overlapPolicy: 'queue' })
    under.clock.jump(hour)
    await under.scheduler().runDue()
    expect(under.jobs()).toHaveLength(3)
    under.clock.jump(-hour)
    await under.restart()
    for (let step = 0; step < 8; step += 1) {
      under.clock.advance(10 * minute)
      await under.scheduler().runDue()
    }
    expect(under.runs().map((run) => (run.dueAt - start) / minute)).toEqual([20, 40, 60, 80])
    expect(under.jobs()).toHaveLength(4)
  })

  test('back by years: it goes on at the time that is now right', async () => {
    const under = open()
    const schedule = await under.save({ cron: '0 6 * * *', everyMs: null })
    under.clock.jump(5 * 366 * 24 * hour)
    await under.scheduler().runDue()
    expect(under.jobs()).toHaveLength(1)
    under.endJobs()
    under.clock.jump(-5 * 366 * 24 * hour)
    await under.scheduler().runDue()
    await expect.poll(() => under.scheduler().nextRunAt()).toBe(start + 6 * hour)
    under.clock.advance(6 * hour)
    await under.scheduler().runDue()
    expect(under.jobs()).toHaveLength(2)
    expect(under.store.readSchedules().find((one) => one.id === schedule.id)?.nextRunAt).toBe(start + 30 * hour)
  })

  test('a due time that comes again is not fired again, even when it stands there as the next', async () => {
    const under = open()
    const schedule = await under.save()
    under.clock.advance(hour)
    await under.scheduler().runDue()
    under.endJobs()
    under.clock.jump(-30 * minute)
    await under.save({ ...schedule, nextRunAt: start + hour })
    under.clock.advance(30 * minute)
    await under.scheduler().runDue()
    expect(story(under, start)).toEqual(['1 submitted'])
    expect(under.jobs()).toHaveLength(1)
    expect(under.scheduler().nextRunAt()).toBe(start + 2 * hour)
  })
})

describe('while the earlier job has not ended', () => {
  const twice = async (overlapPolicy: 'skip' | 'queue' | 'cancel', between?: (under: SchedulerUnderTest) => void) => {
    const under = open()
    await under.save({ overlapPolicy })
    under.clock.advance(hour)
    await under.scheduler().runDue()
    between?.(under)
    under.clock.advance(hour)
    await under.scheduler().runDue()
    return under
  }
  const claimFirst = ({ store, jobs, clock }: SchedulerUnderTest) => {
    const claimed = store.claimUnitsIfDue({
      jobId: jobs()[0]?.id ?? '',
      limitKey: null,
      limit: 1,
      workerId,
      executor: 'command',
      mode: 'local',
      nonce: 'nonce',
      now: clock.now(),
    })
    expect(claimed.units).toHaveLength(1)
  }

  test('skip: no job, and the record names the one that was in the way', async () => {
    const under = await twice('skip')
    const [first] = under.jobs()
    expect(under.jobs()).toHaveLength(1)
    expect(under.runs()[1]).toMatchObject({ outcome: 'overlapped', jobId: first?.id })
    expect(under.requests).toHaveLength(1)
    under.endJobs()
    under.clock.advance(hour)
    await under.scheduler().runDue()
    expect(story(under, start)).toEqual(['1 submitted', '2 overlapped', '3 submitted'])
  })

  test('skip holds over a restart', async () => {
    const under = open()
    await under.save()
    under.clock.advance(hour)
    await under.scheduler().runDue()
    await under.restart()
    under.clock.advance(hour)
    await under.scheduler().runDue()
    expect(story(under, start)).toEqual(['1 submitted', '2 overlapped'])
  })

  test('queue: the new job waits for the end of the earlier', async () => {
    const under = await twice('queue')
    const [first, second] = under.jobs()
    expect(second).toMatchObject({ state: 'queued', openDependencies: 1 })
    expect(under.store.readDependencies(second?.id ?? '')).toMatchObject([{ jobId: first?.id, condition: 'ended' }])
    under.store.requestCancel(first?.id ?? '', 'user', under.clock.now())
    expect(under.store.readJob(second?.id ?? '')).toMatchObject({ state: 'queued', openDependencies: 0 })
  })

  test('queue: not without a bound, and that is recorded', async () => {
    const under = open()
    await under.save({ everyMs: 30_000, overlapPolicy: 'queue', missedPolicy: 'all' })
    for (let step = 0; step < 103; step += 1) {
      under.clock.advance(30_000)
      await under.scheduler().runDue()
    }
    expect(under.jobs()).toHaveLength(100)
    expect(under.runs().at(-1)).toMatchObject({
      outcome: 'overlapped',
      error: '100 jobs of earlier due times wait already',
    })
  })

  test('cancel: the earlier is cancelled, its processes are stopped, the new one is there', async () => {
    const under = await twice('cancel', claimFirst)
    const [first, second] = under.jobs()
    expect(first).toMatchObject({ state: 'running', cancelReason: 'overlap' })
    expect(under.stopped).toHaveLength(1)
    expect(second).toMatchObject({ state: 'queued', openDependencies: 0 })
    expect(story(under, start)).toEqual(['1 submitted', '2 submitted'])
  })

  test('a job that ended is in nobody’s way', async () => {
    const under = await twice('skip', (one) => one.endJobs())
    expect(story(under, start)).toEqual(['1 submitted', '2 submitted'])
  })
})

describe('what goes wrong', () => {
  test.each(['prepare', 'submit'] as const)('a job refused in %s is recorded with the reason', async (where) => {
    const under = open()
    await under.save()
    const refuse = () => {
      throw new QueueError('storage_full', 'the disk is full')
    }
    if (where === 'prepare') under.disturbances.prepare = async () => refuse()
    else under.disturbances.submit = refuse
    under.clock.advance(hour)
    await under.scheduler().runDue()
    expect(under.runs()).toMatchObject([{ outcome: 'refused', jobId: null, error: 'storage_full: the disk is full' }])
    expect(under.scheduler().nextRunAt()).toBe(start + 2 * hour)
    expect(under.discarded).toHaveLength(where === 'submit' ? 1 : 0)
    under.disturbances.prepare = async () => undefined
    under.disturbances.submit = () => undefined
    under.clock.advance(hour)
    await under.scheduler().runDue()
    expect(story(under, start)).toEqual(['1 refused', '2 submitted'])
  })

  test('a storage that does not answer is asked again: the due time stays', async () => {
    const under = open()
    await under.save()
    under.disturbances.submit = () => {
      throw new QueueError('storage_busy', 'locked')
    }
    under.clock.advance(hour)
    await under.scheduler().runDue()
    expect(under.runs()).toEqual([])
    expect(under.scheduler().nextRunAt()).toBe(start + hour)
    under.disturbances.submit = () => undefined
    await under.scheduler().runDue()
    expect(story(under, start)).toEqual(['1 submitted'])
  })

  test('a stored job that cannot be read any more is refused with words', async () => {
    const under = open()
    await under.save({ submission: { type: 7 } })
    under.clock.advance(hour)
    await under.scheduler().runDue()
    expect(under.runs()).toMatchObject([{ outcome: 'refused', error: expect.stringContaining('invalid_input: type') }])
  })

  test('a zone that is unknown since an update stops the schedule, with a record', async () => {
    const under = open()
    await under.save({ cron: '0 * * * *', everyMs: null, timeZone: 'Mars/Olympus', nextRunAt: start + hour })
    under.clock.advance(hour)
    await under.scheduler().runDue()
    expect(under.runs()).toMatchObject([{ outcome: 'refused', error: expect.stringContaining('Mars/Olympus') }])
    expect(under.scheduler().hasEnabled()).toBe(false)
  })

  test('one schedule that takes long does not hold the others', async () => {
    const under = open()
    let release: () => void = () => undefined
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    under.disturbances.prepare = (request) => (request.name === 'slow' ? held : Promise.resolve())
    await under.save({ name: 'slow' })
    await under.save({ name: 'quick' })
    under.clock.advance(hour)
    const all = under.scheduler().runDue()
    await expect.poll(() => under.jobs().map((job) => job.name)).toEqual(['quick'])
    release()
    await all
    expect(under.jobs().map((job) => job.name)).toEqual(['quick', 'slow'])
  })
})

describe('changes in between', () => {
  test.each(['removed', 'disabled'] as const)(
    'a schedule that is %s while its job is prepared makes none',
    async (how) => {
      const under = open()
      const schedule = await under.save()
      under.disturbances.prepare = async () => {
        if (how === 'removed') under.store.removeSchedule(schedule.id)
        else under.store.saveSchedule({ ...schedule, enabled: false, nextRunAt: null })
      }
      under.clock.advance(hour)
      await under.scheduler().runDue()
      expect(under.jobs()).toEqual([])
      expect(under.discarded).toHaveLength(1)
      expect(under.scheduler().hasEnabled()).toBe(false)
      expect(under.scheduler().nextRunAt()).toBeNull()
    },
  )

  test('a stopped scheduler submits nothing, the next one does', async () => {
    const under = open()
    await under.save()
    under.disturbances.prepare = async () => {
      void under.scheduler().stop()
    }
    under.clock.advance(hour)
    await under.scheduler().runDue()
    expect(under.jobs()).toEqual([])
    under.disturbances.prepare = async () => undefined
    await under.restart()
    expect(story(under, start)).toEqual(['1 submitted'])
  })
})
