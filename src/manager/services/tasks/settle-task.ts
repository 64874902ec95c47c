import { QueueError } from '../../../domain/errors.ts'
import type { Json } from '../../../domain/job.ts'
import type { Task, TaskName } from '../../../domain/ports/task-store.ts'
import type { WaitAnswer } from '../../../domain/wire/jobs.ts'
import { nextStep, viewsOf } from '../job-status.ts'
import type { ServiceContext } from '../service-context.ts'
import { judgeTask } from './judge-task.ts'

/** @throws QueueError task_not_found, without a word on whether somebody else has one */
export function readTask({ store }: Pick<ServiceContext, 'store'>, name: TaskName): Task {
  const task = store.readTask(name)
  if (task === null) throw new QueueError('task_not_found', 'there is no such task')
  return task
}

/**
 * Reads a task and, when its end is seen for the first time, keeps the answer: whoever asks later gets the same, whatever becomes
 * of its jobs. To be run in a commit.
 * @throws QueueError task_not_found
 */
export function settleIfOver(context: ServiceContext, name: TaskName): Task {
  const { store, clock } = context
  const task = readTask(context, name)
  if (hasEnded(task)) return task
  const verdict = judgeTask(store, task)
  if (verdict.kind !== 'over') return task
  store.settleTaskIfOpen(name, outcomeOf(context, task, verdict.satisfied), clock.now())
  return readTask(context, name)
}

export function hasEnded(task: Task): boolean {
  return task.settledAt !== null || task.cancelledAt !== null
}

function outcomeOf(context: ServiceContext, task: Task, satisfied: boolean): Json {
  const { store, clock } = context
  const { jobs, missing } = viewsOf(context, task.ids, 'concise')
  const now = clock.now()
  const answer: WaitAnswer = {
    satisfied,
    jobs,
    missing,
    waited_s: Math.max(0, now - task.createdAt) / 1000,
    cursor: String(store.lastEventId()),
    next: nextStep(jobs, now),
  }
  return answer as unknown as Json
}
