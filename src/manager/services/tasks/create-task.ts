import { createHash } from 'node:crypto'
import { QueueError } from '../../../domain/errors.ts'
import type { JsonObject } from '../../../domain/job.ts'
import type { NewTask } from '../../../domain/ports/task-store.ts'
import type { OperationCall } from '../../../domain/wire/operations.ts'
import type { TaskView } from '../../../domain/wire/tasks.ts'
import type { ServiceContext } from '../service-context.ts'
import { settleIfOver } from './settle-task.ts'
import { taskView } from './task-view.ts'

/**
 * Keeps a wait under a handle. The answer comes after the commit, so whoever is told the handle can use it; a wait that is
 * satisfied already is completed at once. A repeat with the same id and content answers the same task.
 * @throws QueueError job_not_found when none of the ids is known; idempotency_conflict when the id was used for anything else
 */
export async function createTask(context: ServiceContext, request: OperationCall<'create_task'>): Promise<TaskView> {
  const task = await context.commits.run(() => {
    const wanted = newTaskOf(context, request)
    const outcome = context.store.createTask(wanted)
    if (outcome.kind === 'no_job') {
      throw new QueueError('job_not_found', `no job has the id ${wanted.ids.slice(0, 5).join(', ')}`)
    }
    if (outcome.kind === 'conflict') {
      throw new QueueError('idempotency_conflict', 'this task id was used before, for something else', {
        remedy: 'Make the task with another random id.',
      })
    }
    return settleIfOver(context, wanted)
  })
  return taskView(context, task)
}

function newTaskOf({ store, clock }: ServiceContext, request: OperationCall<'create_task'>): NewTask {
  const { task_id: taskId, principal, tool, until, cursor, submitted } = request
  const ids = [...new Set(request.ids)]
  const newest = store.lastEventId()
  return {
    taskId,
    principal,
    tool,
    until,
    // A cursor from the future would wait for ever.
    since: cursor === undefined ? newest : Math.min(Number(cursor), newest),
    ids,
    submitted: submitted === undefined ? null : (submitted as JsonObject),
    contentHash: hashOf([tool, until, ids, cursor ?? null, submitted ?? null]),
    now: clock.now(),
  }
}

function hashOf(content: unknown): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('hex')
}
