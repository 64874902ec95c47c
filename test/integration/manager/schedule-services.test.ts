import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { uuidv7 } from 'uuidv7'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { readSettings } from '../../../src/config/settings.ts'
import type { OperationRequest } from '../../../src/domain/wire/operations.ts'
import { listSchedulesAnswer, scheduleAnswer, scheduleRequest } from '../../../src/domain/wire/schedules.ts'
import { JobTypeRegistry } from '../../../src/manager/services/job-type-registry.ts'
import { listSchedules } from '../../../src/manager/services/list-schedules.ts'
import { removeSchedule } from '../../../src/manager/services/remove-schedule.ts'
import { scheduleJob } from '../../../src/manager/services/schedule-job.ts'
import type { ServiceContext } from '../../../src/manager/services/service-context.ts'
import { noHandlers } from '../../support/no-handlers.ts'
import { hour, openScheduler, type SchedulerUnderTest } from '../../support/scheduler-under-test.ts'

/** A Tuesday, 00:00 UTC. */
const start = Date.UTC(2030, 0, 1)
const job = { params: { argv: ['true'], cwd: '/' } }

let under: SchedulerUnderTest
let context: ServiceContext
let home: string

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'nk-services-'))
  under = openScheduler(start)
  under.scheduler().start()
  // Only what these services touch; jobs in it are shown as a manager without any executor shows them.
  context = {
    store: under.store,
    commits: under.commits,
    clock: under.clock,
    createId: uuidv7,
    settings: readSettings(join(home, 'none.json')),
    facts: { home },
    storage: { assertAcceptsJobs: () => undefined },
    scheduler: { wake: () => under.scheduler().wake() },
    jobTypes: new JobTypeRegistry(noHandlers),
  } as unknown as ServiceContext
  onTestFinished(async () => {
    await under.close()
    rmSync(home, { recursive: true })
  })
})

type Given = Omit<OperationRequest<'schedule_job'>, 'context'>

async function schedule(given: Given) {
  const request = scheduleRequest.parse({
    local_time_zone: 'Europe/Berlin',
    ...given,
    context: { environment: { PATH: '/bin' }, cwd: '/', submitted_by: 'test 1.0' },
  })
  return scheduleAnswer.parse(await scheduleJob(context, request))
}

function list(name?: string) {
  return listSchedulesAnswer.parse(listSchedules(context, { ...(name === undefined ? {} : { name }), history: 5 }))
}

describe('schedule_job', () => {
  test('answers what will happen, in words and times', async () => {
    const answer = await schedule({ name: 'nightly', cron: '0 6 * * *', job })
    expect(answer).toMatchObject({
      existing: false,
      schedule: {
        name: 'nightly',
        cron: '0 6 * * *',
        every_s: null,
        time_zone: 'Europe/Berlin',
        missed: 'once',
        overlap: 'skip',
        enabled: true,
        job_name: 'nightly',
        next_runs: ['2030-01-01T05:00:00.000Z', '2030-01-02T05:00:00.000Z', '2030-01-03T05:00:00.000Z'],
        last_run: null,
        history: [],
      },
    })
    expect(answer.notes).toEqual([
      'Next: Tue 2030-01-01 06:00, Wed 2030-01-02 06:00, Thu 2030-01-03 06:00 (Europe/Berlin), the first in 5 h.',
      'Due times that pass while nothing can run (the queue stopped, the machine asleep or off): one job runs for the latest of them, the others are recorded as missed (missed "once").',
      'While the job of an earlier due time has not ended: this one does not run, and that is recorded (overlap "skip").',
      'It fires without you and without a chat. After a reboot it goes on with the first call of any client.',
    ])
    expect(answer.next).toContain('list_schedules {"name":"nightly"}')
    expect(under.scheduler().nextRunAt()).toBe(start + 5 * hour)
  })

  test('an interval counts from now, or from start_at; the same again does not put it off', async () => {
    await schedule({ name: 'a', every_s: 5400, job })
    await schedule({ name: 'b', every_s: 3600, start_at: '2029-12-31T23:50:00Z', job })
    await schedule({ name: 'c', every_s: 60, start_at: '2030-01-05T00:00:00+01:00', job })
    expect(list().schedules.map((one) => one.next_runs[0])).toEqual([
      '2030-01-01T01:30:00.000Z',
      '2030-01-01T00:50:00.000Z',
      '2030-01-04T23:00:00.000Z',
    ])
    under.clock.advance(hour)
    const again = await schedule({ name: 'a', every_s: 5400, job })
    expect(again).toMatchObject({
      existing: true,
      schedule: { next_runs: ['2030-01-01T01:30:00.000Z', '2030-01-01T03:00:00.000Z', '2030-01-01T04:30:00.000Z'] },
    })
    expect(again.notes[1]).toBe('Every 1 h 30 m, counted from Tue 2030-01-01 01:00: it does not drift.')
  })

  test('a change keeps what it leaves out', async () => {
    const first = await schedule({
      name: 'nightly',
      cron: '0 6 * * *',
      time_zone: 'UTC',
      missed: 'skip',
      overlap: 'queue',
      job: { ...job, name: 'report' },
    })
    const changed = await schedule({ name: 'nightly', cron: '30 7 * * *' })
    expect(changed).toMatchObject({
      existing: true,
      schedule: {
        id: first.schedule.id,
        time_zone: 'UTC',
        missed: 'skip',
        overlap: 'queue',
        job_name: 'report',
        next_runs: ['2030-01-01T07:30:00.000Z', '2030-01-02T07:30:00.000Z', '2030-01-03T07:30:00.000Z'],
      },
    })
    expect(await schedule({ name: 'nightly', every_s: 60 })).toMatchObject({ schedule: { cron: null, every_s: 60 } })
    expect(list().schedules).toHaveLength(1)
  })

  test('a pause ends without a flood: it goes on from then', async () => {
    await schedule({ name: 'hourly', every_s: 3600, missed: 'all', job })
    const paused = await schedule({ name: 'hourly', enabled: false })
    expect(paused).toMatchObject({ schedule: { enabled: false, next_runs: [] } })
    expect(paused.notes[0]).toBe('It is paused: nothing fires until it is enabled again.')
    expect(under.scheduler().hasEnabled()).toBe(false)
    under.clock.advance(10.5 * hour)
    const resumed = await schedule({ name: 'hourly', enabled: true })
    await under.scheduler().runDue()
    expect(resumed.schedule.next_runs[0]).toBe('2030-01-01T11:00:00.000Z')
    expect(under.runs()).toEqual([])
  })

  test('what was due but not handled when the times change is recorded, not lost', async () => {
    await schedule({ name: 'hourly', every_s: 3600, job })
    await under.scheduler().stop()
    under.clock.advance(2.5 * hour)
    const { notes } = await schedule({ name: 'hourly', cron: '0 0 * * *' })
    expect(notes).toContain('Due times that had not run before this change: 2, recorded as missed.')
    expect(under.runs().map((run) => [run.outcome, run.error])).toEqual([
      ['missed', 'the schedule was changed before it ran'],
      ['missed', 'the schedule was changed before it ran'],
    ])
  })

  test('a change that leaves the times alone leaves what is due to the scheduler', async () => {
    await schedule({ name: 'hourly', every_s: 3600, job })
    under.clock.advance(hour)
    const { schedule: changed } = await schedule({ name: 'hourly', overlap: 'queue' })
    expect(changed.next_runs[0]).toBe('2030-01-01T01:00:00.000Z')
    await under.scheduler().runDue()
    expect(under.jobs()).toHaveLength(1)
  })

  test('caught up together with "all", jobs wait for each other unless said otherwise', async () => {
    expect(await schedule({ name: 'a', every_s: 60, missed: 'all', job })).toMatchObject({
      schedule: { overlap: 'queue' },
    })
    const { notes } = await schedule({ name: 'b', every_s: 60, missed: 'all', overlap: 'skip', job })
    expect(notes).toContain(
      'Of due times that are caught up together only the first runs, as overlap is "skip"; "queue" runs all.',
    )
  })

  test('the job is stored with its context, and nothing of another schedule is touched', async () => {
    await schedule({ name: 'a', every_s: 60, job: { ...job, timeout_s: 5, labels: { team: 'x' } } })
    expect(under.store.readSchedules()[0]?.submission).toEqual({
      type: 'command',
      params: { argv: ['true'], cwd: '/' },
      timeout_s: 5,
      labels: { team: 'x' },
      context: { environment: { PATH: '/bin' }, cwd: '/', submitted_by: 'test 1.0' },
    })
  })

  test('a source is read when it fires: that it gives nothing now is only told', async () => {
    const { notes } = await schedule({
      name: 'inbox',
      every_s: 60,
      job: {
        params: { argv: ['echo', '{{unit}}'], cwd: home },
        source: { kind: 'lines', file: join(home, 'none.txt') },
      },
    })
    expect(notes).toContainEqual(expect.stringMatching(/^Its source gives nothing now: .*none\.txt/))
    writeFileSync(join(home, 'some.txt'), 'one\ntwo\n')
    const full = await schedule({
      name: 'inbox',
      job: {
        params: { argv: ['echo', '{{unit}}'], cwd: home },
        source: { kind: 'lines', file: join(home, 'some.txt') },
      },
    })
    expect(full.notes.join(' ')).not.toContain('source')
    const wrong = {
      params: { argv: ['echo', '{{unit.name}}'], cwd: home },
      source: { kind: 'lines' as const, file: join(home, 'some.txt') },
    }
    await expect(schedule({ name: 'inbox', job: wrong })).rejects.toThrow(/unit/)
  })

  test('a directory that does not exist is told', async () => {
    const { notes } = await schedule({ name: 'a', every_s: 60, job: { params: { argv: ['true'], cwd: '/no/such' } } })
    expect(notes).toContain('Its directory /no/such does not exist now.')
  })
})

describe('what is refused', () => {
  test.each<[string, Given, RegExp]>([
    ['both cron and every_s', { name: 'x', cron: '@daily', every_s: 60, job }, /cron and every_s were given together/],
    ['neither', { name: 'x', job }, /no due times were given for the new schedule "x"/],
    ['a change of what does not exist', { name: 'x', enabled: false }, /no schedule is named "x"/],
    ['no job', { name: 'x', every_s: 60 }, /job was not given for the new schedule "x"/],
    ['start_at with cron', { name: 'x', cron: '@daily', start_at: '2030-01-01T00:00:00Z', job }, /start_at was given/],
    ['an impossible date', { name: 'x', cron: '0 0 30 2 *', job }, /cron is "0 0 30 2 \*", which never comes up/],
    [
      'a bad expression',
      { name: 'x', cron: '61 * * * *', job },
      /cron is "61 \* \* \* \*", which is no cron expression/,
    ],
    ['a bad zone', { name: 'x', cron: '@daily', time_zone: 'Berlin', job }, /time_zone is "Berlin"/],
    ['a bad job', { name: 'x', every_s: 60, job: { params: {} } }, /argv/],
    ['an unknown type', { name: 'x', every_s: 60, job: { type: 'none', params: {} } }, /no job type "none"/],
    [
      'units and a source',
      { name: 'x', every_s: 60, job: { ...job, units: [1], source: { kind: 'range', from: 1, to: 2 } } },
      /units and source were given together/,
    ],
    [
      'a huge job',
      { name: 'x', every_s: 60, job: { ...job, units: [{ text: 'x'.repeat(1100 * 1024) }] } },
      /job is \d+ bytes; a schedule keeps at most 1048576/,
    ],
  ])('%s', async (_what, given, message) => {
    await expect(schedule(given)).rejects.toThrow(message)
    expect(under.store.readSchedules()).toEqual([])
  })

  test('more often than every second', () => {
    expect(() => scheduleRequest.parse({ name: 'x', every_s: 0.5, job })).toThrow()
  })
})

describe('list_schedules and remove_schedule', () => {
  test('by name, one, or none', async () => {
    expect(list()).toEqual({
      schedules: [],
      next: expect.stringContaining('There are no schedules. One is made by, for example, schedule_job {'),
    })
    await schedule({ name: 'b', every_s: 60, job })
    await schedule({ name: 'a', every_s: 60, job })
    expect(list().schedules.map((one) => one.name)).toEqual(['a', 'b'])
    expect(list('b').schedules.map((one) => one.name)).toEqual(['b'])
    expect(list('c')).toEqual({
      schedules: [],
      next: 'No schedule has that name; there are: "a", "b". list_schedules {} shows all.',
    })
  })

  test('history is newest first, last_run is there without any', async () => {
    await schedule({ name: 'hourly', every_s: 3600, missed: 'skip', job })
    under.clock.advance(3.5 * hour)
    await under.scheduler().runDue()
    const [shown] = list().schedules
    expect(shown?.history.map((run) => [run.due_at, run.outcome])).toEqual([
      ['2030-01-01T03:00:00.000Z', 'missed'],
      ['2030-01-01T02:00:00.000Z', 'missed'],
      ['2030-01-01T01:00:00.000Z', 'missed'],
    ])
    const [short] = listSchedules(context, { history: 0 }).schedules
    expect(short).toMatchObject({ history: [], last_run: { due_at: '2030-01-01T03:00:00.000Z' } })
  })

  test('a removed schedule does not fire; removing it again changes nothing', async () => {
    await schedule({ name: 'hourly', every_s: 3600, job })
    expect(await removeSchedule(context, { name: 'hourly' })).toMatchObject({ removed: true })
    under.clock.advance(2 * hour)
    await under.scheduler().runDue()
    expect(under.jobs()).toEqual([])
    expect(under.scheduler().hasEnabled()).toBe(false)
    expect(await removeSchedule(context, { name: 'hourly' })).toEqual({
      name: 'hourly',
      removed: false,
      next: 'Nothing changed: no schedule has that name; there are no schedules. list_schedules {} shows them.',
    })
  })
})
