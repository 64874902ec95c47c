import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { uuidv7 } from 'uuidv7'
import { QueueError } from '../../src/domain/errors.ts'
import type { Job } from '../../src/domain/job.ts'
import type { NewJob } from '../../src/domain/ports/job-store.ts'
import type { Schedule, ScheduleRun } from '../../src/domain/ports/schedule-store.ts'
import type { SubmitRequest } from '../../src/domain/wire/submit.ts'
import { CommitQueue } from '../../src/manager/runtime/commit-queue.ts'
import { dueTimes } from '../../src/manager/runtime/cron-times.ts'
import { Scheduler } from '../../src/manager/runtime/scheduler.ts'
import type { ScheduledSubmission } from '../../src/manager/runtime/scheduler-options.ts'
import { openJobStore } from '../../src/persistence/open-job-store.ts'
import { createFakeClock } from './fake-clock.ts'
import { newJob } from './new-job.ts'

export const hour = 3_600_000
export const workerId = 'worker'

/** What a test may make go wrong, or hold back. */
export interface Disturbances {
  prepare?: (request: SubmitRequest) => Promise<void>
  submit?: () => void
}

/** A scheduler on a real database, in a directory of its own. Durability is not at stake here. */
export function openScheduler(start = Date.UTC(2030, 0, 1)) {
  const directory = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'nk-schedules-'))
  const clock = createFakeClock(start)
  const store = openJobStore({
    databaseFile: join(directory, 'queue.db'),
    backupsDirectory: directory,
    appVersion: '0.0.0',
    clock,
  })
  store.raiseEpoch('test', clock.now())
  store.registerWorker({ id: workerId, kind: 'command', name: workerId, pid: 1, slots: 8 }, start, start + 1e12)
  const commits = new CommitQueue({
    store,
    faultPoint: () => undefined,
    isStorageFault: () => false,
    onGroupFailure: (error) => ({ answer: new QueueError('outcome_unknown', String(error)), retry: false }),
    onHookError: (error) => {
      throw error
    },
    onEpochLost: () => undefined,
  })
  const disturbances: Disturbances = {}
  const stopped: string[] = []
  const requests: SubmitRequest[] = []
  const discarded: SubmitRequest[] = []
  const create = () =>
    new Scheduler<SubmitRequest>({
      store,
      commits,
      clock,
      dueTimes,
      log: pino({ level: 'silent' }),
      prepare: async (request) => {
        await disturbances.prepare?.(request)
        requests.push(request)
        return request
      },
      discard: (request) => discarded.push(request),
      submit: (request, extras): Job => {
        disturbances.submit?.()
        const outcome = store.submitJob(scheduledJob(request, extras, clock.now()))
        if (outcome.kind === 'created' || outcome.kind === 'existing') return outcome.job
        throw new QueueError('idempotency_conflict', outcome.kind)
      },
      stop: (unitId) => stopped.push(unitId),
    })
  let scheduler = create()
  const jobs = () => [...store.listJobs({}, { limit: 10_000 })].reverse()
  return {
    store,
    commits,
    clock,
    disturbances,
    stopped,
    requests,
    discarded,
    scheduler: () => scheduler,
    /** As a new manager does. */
    async restart() {
      await scheduler.stop()
      scheduler = create()
      scheduler.start()
      await scheduler.runDue()
    },
    /** Stores a schedule and lets the scheduler know. */
    async save(changes: Partial<Schedule> = {}): Promise<Schedule> {
      const schedule = newSchedule(clock.now(), changes)
      store.saveSchedule(schedule)
      scheduler.wake()
      await scheduler.runDue()
      return schedule
    },
    /** Oldest first. */
    jobs,
    /** Oldest first, of all schedules. */
    runs: (): ScheduleRun[] =>
      store.readSchedules().flatMap((schedule) => [...store.readScheduleRuns(schedule.id, 5_000)].reverse()),
    /** What is not running ends. */
    endJobs() {
      for (const job of jobs()) if (job.finishedAt === null) store.requestCancel(job.id, 'user', clock.now())
    },
    async close() {
      await scheduler.stop()
      store.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
export type SchedulerUnderTest = ReturnType<typeof openScheduler>

/** @returns a schedule that fires every hour, the first time in an hour */
export function newSchedule(now: number, changes: Partial<Schedule> = {}): Schedule {
  const id = changes.id ?? uuidv7()
  const schedule: Schedule = {
    id,
    name: `schedule ${id}`,
    cron: null,
    everyMs: hour,
    anchorAt: now,
    timeZone: 'UTC',
    missedPolicy: 'once',
    overlapPolicy: 'skip',
    submission: {
      type: 'command',
      params: { argv: ['true'], cwd: '/' },
      context: { environment: { PATH: '/bin' }, cwd: '/', submitted_by: 'test' },
    },
    enabled: true,
    nextRunAt: null,
    createdAt: now,
    updatedAt: now,
    ...changes,
  }
  return { ...schedule, nextRunAt: changes.nextRunAt ?? (schedule.enabled ? dueTimes.next(schedule, now) : null) }
}

function scheduledJob(request: SubmitRequest, extras: ScheduledSubmission, now: number): NewJob {
  return newJob(now, extras.idempotencyKey, {
    type: request.type,
    name: request.name ?? '',
    contentHash: 'same',
    dependencies: extras.dependencies,
    scheduleId: extras.scheduleId,
  })
}
