import type { CallToolResult, InputRequests } from '@modelcontextprotocol/server'
import type { Caller } from '../served.ts'

/** A task of the extension `io.modelcontextprotocol/tasks` as `tasks/get` answers it, without its id. */
export interface TaskFacts {
  /** Shown to people, one sentence. */
  readonly statusMessage?: string
  /** ISO 8601. */
  readonly createdAt: string
  readonly lastUpdatedAt: string
  /** How long it is kept, ms; null: as long as its jobs. */
  readonly ttlMs: number | null
  readonly pollIntervalMs: number
}

export type TaskState = TaskFacts &
  (
    | { readonly status: 'working' | 'cancelled' }
    | { readonly status: 'input_required'; readonly inputRequests: InputRequests }
    | { readonly status: 'completed'; readonly result: CallToolResult }
    | {
        readonly status: 'failed'
        readonly error: { readonly code: number; readonly message: string; readonly data?: unknown }
      }
  )

/** What answers `tasks/*`. @throws UnknownTaskError for an id that is not the caller's, or whose jobs are gone */
export interface TaskBackend {
  get(taskId: string, caller: Caller): Promise<TaskState>
  /** Unknown and answered keys are ignored; only an explicit decision in an accepted form decides. */
  update(taskId: string, inputResponses: Readonly<Record<string, unknown>>, caller: Caller): Promise<void>
  /** Idempotent, also on tasks that have ended. */
  cancel(taskId: string, caller: Caller): Promise<void>
  /**
   * Tells whenever a task has changed, until the signal aborts.
   * @throws UnknownTaskError at once when one of the ids is not the caller's
   */
  watch(
    taskIds: readonly string[],
    caller: Caller,
    tell: (taskId: string, state: TaskState) => void,
    signal: AbortSignal,
  ): Promise<void>
}

/** Becomes -32602 on the wire. */
export class UnknownTaskError extends Error {
  constructor() {
    super('There is no such task: the id is wrong, or its jobs were deleted. whats_new and list_jobs find jobs.')
    this.name = 'UnknownTaskError'
  }
}
