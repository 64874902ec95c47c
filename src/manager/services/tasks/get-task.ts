import type { TaskName } from '../../../domain/ports/task-store.ts'
import type { OperationCall } from '../../../domain/wire/operations.ts'
import type { TaskView } from '../../../domain/wire/tasks.ts'
import type { ServiceContext } from '../service-context.ts'
import { judgeTask } from './judge-task.ts'
import { hasEnded, readTask, settleIfOver } from './settle-task.ts'
import { taskView } from './task-view.ts'

/**
 * How a kept wait is. Writes only when its end is seen for the first time.
 * @throws QueueError task_not_found
 */
export async function getTask(context: ServiceContext, request: OperationCall<'get_task'>): Promise<TaskView> {
  const name = taskNameOf(request)
  const task = readTask(context, name)
  const isOver = !hasEnded(task) && judgeTask(context.store, task).kind === 'over'
  return taskView(context, isOver ? await context.commits.run(() => settleIfOver(context, name)) : task)
}

export function taskNameOf({ task_id: taskId, principal }: OperationCall<'get_task'>): TaskName {
  return { taskId, principal }
}
