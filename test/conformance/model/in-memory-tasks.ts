import type { Json } from '../../../src/domain/job.ts'
import type { CreateTaskOutcome, NewTask, Task, TaskName, TaskStore } from '../../../src/domain/ports/task-store.ts'
import type { ModelAccess } from './in-memory-history.ts'
import type { ModelTask } from './model-state.ts'

/** Kept waits as a plain list, ids in clear. */
export class InMemoryTasks implements TaskStore {
  readonly #model: ModelAccess

  constructor(model: ModelAccess) {
    this.#model = model
  }

  createTask(task: NewTask): CreateTaskOutcome {
    return this.#model.change(() => {
      const known = this.#living().find(({ asked }) => asked.taskId === task.taskId)
      if (known !== undefined) {
        const { principal, contentHash } = known.asked
        const isRepeat = principal === task.principal && contentHash === task.contentHash
        return isRepeat ? { kind: 'existing', task: this.#view(known) } : { kind: 'conflict' }
      }
      const jobIds = task.ids.filter((id) => this.#isThere(id))
      if (jobIds.length === 0) return { kind: 'no_job' }
      const made = { asked: structuredClone(task), jobIds, cancelledAt: null, settledAt: null, outcome: null }
      this.#model.state().tasks.push(made)
      return { kind: 'created', task: this.#view(made) }
    })
  }

  readTask(name: TaskName): Task | null {
    const found = this.#find(name)
    return found === undefined ? null : this.#view(found)
  }

  settleTaskIfOpen(name: TaskName, outcome: Json, now: number): boolean {
    return this.#changeIfOpen(name, (task) => {
      task.settledAt = now
      task.outcome = structuredClone(outcome)
    })
  }

  cancelTaskIfOpen(name: TaskName, now: number): boolean {
    return this.#changeIfOpen(name, (task) => {
      task.cancelledAt = now
    })
  }

  #changeIfOpen(name: TaskName, change: (task: ModelTask) => void): boolean {
    return this.#model.change(() => {
      const found = this.#find(name)
      if (found === undefined || found.cancelledAt !== null || found.settledAt !== null) return false
      change(found)
      return true
    })
  }

  #find({ taskId, principal }: TaskName): ModelTask | undefined {
    return this.#living().find(({ asked }) => asked.taskId === taskId && asked.principal === principal)
  }

  #living(): ModelTask[] {
    return this.#model.state().tasks.filter(({ jobIds }) => jobIds.some((id) => this.#isThere(id)))
  }

  #isThere(jobId: string): boolean {
    return this.#model.state().jobs.some(({ id }) => id === jobId)
  }

  #view({ asked, jobIds, cancelledAt, settledAt, outcome }: ModelTask): Task {
    const { tool, until, since, ids, submitted, now } = asked
    const left = jobIds.filter((id) => this.#isThere(id))
    const said = { tool, until, since, ids, submitted, cancelledAt, settledAt, outcome }
    return structuredClone({ ...said, jobIds: left, deletedJobs: jobIds.length - left.length, createdAt: now })
  }
}
