import type { NewTask, TaskName } from '../../../src/domain/ports/task-store.ts'
import { jobIdOf, start } from './jobs.ts'

export function taskIdOf(number: number): string {
  return `5eed${String(number).padStart(28, '0')}`
}

export function nameOf(number: number, principal = 'local'): TaskName {
  return { taskId: taskIdOf(number), principal }
}

/** A task on the job with the same number. */
export function newTask(number: number, changes: Partial<NewTask> = {}): NewTask {
  return {
    ...nameOf(number),
    tool: 'wait_for_jobs',
    until: 'all_ended',
    since: 0,
    ids: [jobIdOf(number)],
    submitted: null,
    contentHash: `hash-${number}`,
    now: start,
    ...changes,
  }
}
