import type { Json, JsonObject } from '../job.ts'
import type { TaskTool } from '../wire/tasks.ts'

/** What names a task: its id alone is not enough. */
export interface TaskName {
  /** 32 hex digits; only its hash is stored. */
  readonly taskId: string
  readonly principal: string
}

/** What a wait waits for. */
export type WaitUntil = 'all_ended' | 'any_ended' | 'any_changed'

export interface NewTask extends TaskName {
  readonly tool: TaskTool
  readonly until: WaitUntil
  /** Event id; with `any_changed`, changes after it count. */
  readonly since: number
  /** As asked for, each once; unknown ones are kept. */
  readonly ids: readonly string[]
  /** What a submit said beside the job; null: nothing. */
  readonly submitted: JsonObject | null
  /** Hash of everything the caller said; the same id with another hash is a conflict. */
  readonly contentHash: string
  readonly now: number
}

/** A kept wait. */
export interface Task extends Pick<NewTask, 'tool' | 'until' | 'since' | 'ids' | 'submitted'> {
  /** Those of the ids whose jobs are there, in order; at least one. */
  readonly jobIds: readonly string[]
  /** Jobs that there were, and that have been deleted since. */
  readonly deletedJobs: number
  /** Wall ms. */
  readonly createdAt: number
  /** Wall ms; null: not cancelled. */
  readonly cancelledAt: number | null
  /** Wall ms at which its end was first seen; null: not yet. */
  readonly settledAt: number | null
  /** The answer, as it was then. */
  readonly outcome: Json
}

export type CreateTaskOutcome =
  | { readonly kind: 'created' | 'existing'; readonly task: Task }
  /** The id was used with other content, or by somebody else. */
  | { readonly kind: 'conflict' }
  /** None of the ids is a job. */
  | { readonly kind: 'no_job' }

/** Kept waits; part of the JobStore. A task is gone with the last of its jobs. */
export interface TaskStore {
  /** Repeatable: the same id with the same content is the same task. */
  createTask(task: NewTask): CreateTaskOutcome
  /** Null: there is none, or it is somebody else's. */
  readTask(name: TaskName): Task | null
  /** Keeps the outcome of a task that has neither ended nor been cancelled. @returns false: it had */
  settleTaskIfOpen(name: TaskName, outcome: Json, now: number): boolean
  /** @returns false: it had ended or been cancelled before, or there is none */
  cancelTaskIfOpen(name: TaskName, now: number): boolean
}
