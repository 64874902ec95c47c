import type { OperationCall } from '../../../domain/wire/operations.ts'
import type { TaskView } from '../../../domain/wire/tasks.ts'
import { recordDecision } from '../decide-job.ts'
import type { ServiceContext } from '../service-context.ts'
import { taskNameOf } from './get-task.ts'
import { isHeldForReview, questionKey } from './judge-task.ts'
import { hasEnded, settleIfOver } from './settle-task.ts'
import { taskView } from './task-view.ts'

/**
 * Answers questions of a kept wait: approves or rejects jobs of it that are held for review. A question stays open until it is
 * answered, also while another job of the task runs. Unknown and answered keys are ignored, and so is everything once it has ended.
 * @throws QueueError task_not_found
 */
export async function decideTask(context: ServiceContext, request: OperationCall<'decide_task'>): Promise<TaskView> {
  const { store, commits } = context
  const name = taskNameOf(request)
  const decisions = new Map(Object.entries(request.decisions))
  const task = await commits.run(() => {
    const before = settleIfOver(context, name)
    if (hasEnded(before)) return before
    for (const job of store.readJobs(before.jobIds).filter(isHeldForReview)) {
      const decision = decisions.get(questionKey(job))
      if (decision !== undefined) recordDecision(context, job.id, decision)
    }
    return settleIfOver(context, name)
  })
  return taskView(context, task)
}
