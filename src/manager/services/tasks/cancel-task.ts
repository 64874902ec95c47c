import type { OperationAnswer, OperationCall } from '../../../domain/wire/operations.ts'
import type { Commit } from '../../runtime/commit-queue.ts'
import { requestCancels } from '../cancel-job.ts'
import type { ServiceContext } from '../service-context.ts'
import { taskNameOf } from './get-task.ts'
import { readTask, settleIfOver } from './settle-task.ts'
import { taskView } from './task-view.ts'

/**
 * Ends a kept wait. Of a task made by submit_job its unfinished jobs are cancelled too, in the same commit; a wait for jobs
 * leaves them alone. On a task that has completed nothing happens.
 * @throws QueueError task_not_found
 */
export async function cancelTask(
  context: ServiceContext,
  request: OperationCall<'cancel_task'>,
): Promise<OperationAnswer<'cancel_task'>> {
  const name = taskNameOf(request)
  const cancelled = await context.commits.run((commit) => {
    const { store, clock } = context
    const task = settleIfOver(context, name)
    if (task.settledAt !== null) return []
    store.cancelTaskIfOpen(name, clock.now())
    return task.tool === 'submit_job' ? cancelUnfinished(context, task.jobIds, commit) : []
  })
  return { ...taskView(context, readTask(context, name)), cancelled_jobs: cancelled }
}

/** @returns the ids of those that were, or are being, cancelled. */
function cancelUnfinished(context: ServiceContext, jobIds: readonly string[], commit: Commit): string[] {
  const unfinished = context.store.readJobs(jobIds).filter((job) => job.finishedAt === null)
  const ids = unfinished.map((job) => job.id)
  return requestCancels(context, ids, commit).flatMap(({ id, outcome }) =>
    outcome === 'cancelled' || outcome === 'cancelling' ? [id] : [],
  )
}
