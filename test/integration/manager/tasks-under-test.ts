import Database from 'better-sqlite3'
import type { NewJob } from '../../../src/domain/ports/job-store.ts'
import type { OperationRequest } from '../../../src/domain/wire/operations.ts'
import { cancelTaskAnswer, createTaskRequest, type TaskView, taskView } from '../../../src/domain/wire/tasks.ts'
import type { ServiceContext } from '../../../src/manager/services/service-context.ts'
import { cancelTask } from '../../../src/manager/services/tasks/cancel-task.ts'
import { createTask } from '../../../src/manager/services/tasks/create-task.ts'
import { decideTask } from '../../../src/manager/services/tasks/decide-task.ts'
import { getTask } from '../../../src/manager/services/tasks/get-task.ts'
import { claim, facts, jobIdOf, newJob, submit, worker } from '../../conformance/support/jobs.ts'
import { taskIdOf } from '../../conformance/support/tasks.ts'
import { openQueue } from './queue-under-test.ts'

/** The four operations on a real database. Its jobs are claimed and ended by hand, as a manager with one free slot shows them. */
export function openTasks() {
  const faults = { beforeCommit: false }
  const queue = openQueue({
    faultPoint: (name) => {
      if (faults.beforeCommit && name === 'commit.before') throw new Error('the disk is gone')
    },
  })
  const { store, commits, clock, databaseFile } = queue
  store.registerWorker(worker, clock.now(), clock.now() + 1e9)
  const stopped: string[] = []
  const percents = new Map<string, number>()
  const context = {
    store,
    commits,
    clock,
    facts: { user: 'ann' },
    dispatcher: {
      slotsOf: () => ({ total: 4, busy: 0 }),
      waitOfQueue: () => null,
      isQueuePaused: () => false,
      isTypeFull: () => false,
    },
    storage: { healthy: true },
    jobTypes: { problemOf: () => null },
    supervisor: {
      silenceOf: () => null,
      estimateOf: () => null,
      progressOf: (unitId: string) => {
        const current = percents.get(unitId)
        return current === undefined ? null : { current, total: 100, message: null, stage: null }
      },
      stop: (unitId: string) => stopped.push(unitId),
    },
    throughput: { estimate: () => null },
    isDraining: () => false,
  } as unknown as ServiceContext

  const nameOf = (number: number, principal = 'local') => ({ task_id: taskIdOf(number), principal })
  const checked = (view: TaskView): TaskView => taskView.parse(JSON.parse(JSON.stringify(view)))
  return {
    ...queue,
    faults,
    stopped,
    percents,
    nameOf,
    submit: (number: number, changes: Partial<NewJob> = {}, units = 1) =>
      submit(store, newJob(number, { now: clock.now(), runAt: 0, ...changes }, units)),
    /** Claims a unit of a job. */
    start: (number: number) => claim(store, jobIdOf(number), { now: clock.now() }),
    end(number: number) {
      const { fence } = claim(store, jobIdOf(number), { now: clock.now() })
      store.completeUnitIfHeld(fence, { number }, facts({ now: clock.now() }))
    },
    /** As after the test units of a job, or for a permission. */
    hold(number: number, kind: 'review' | 'permission', at = clock.now()) {
      const database = new Database(databaseFile)
      database
        .prepare('UPDATE job SET held_at = @at, hold_kind = @kind WHERE id = @id')
        .run({ at, kind, id: jobIdOf(number) })
      database.close()
    },
    /** Deletes a job that has ended. */
    delete: (number: number) => store.deleteJobSlice(jobIdOf(number), 10),
    /** A task on the jobs with these numbers. */
    async create(number: number, jobs: readonly number[], changes: Partial<OperationRequest<'create_task'>> = {}) {
      const request = createTaskRequest.parse({
        ...nameOf(number),
        tool: 'wait_for_jobs',
        ids: jobs.map(jobIdOf),
        ...changes,
      })
      return checked(await createTask(context, request))
    },
    get: async (number: number, principal = 'local') => checked(await getTask(context, nameOf(number, principal))),
    decide: async (number: number, decisions: Record<string, 'approve' | 'reject'>, principal = 'local') =>
      checked(await decideTask(context, { ...nameOf(number, principal), decisions })),
    cancel: async (number: number, principal = 'local') =>
      cancelTaskAnswer.parse(JSON.parse(JSON.stringify(await cancelTask(context, nameOf(number, principal))))),
  }
}
