import { createHash } from 'node:crypto'
import type { Statement } from 'better-sqlite3'
import type { Json, JsonObject } from '../domain/job.ts'
import type { CreateTaskOutcome, NewTask, Task, TaskName, WaitUntil } from '../domain/ports/task-store.ts'
import type { TaskTool } from '../domain/wire/tasks.ts'
import type { Binds, Prepare } from './statement-loader.ts'

interface TaskRow {
  tool: TaskTool
  until: WaitUntil
  since: number
  ids: string
  job_count: number
  submitted: string | null
  created_at: number
  cancelled_at: number | null
  settled_at: number | null
  outcome: string | null
  job_ids: string
}

/** Waits that are kept under a handle. */
export class Tasks {
  readonly #insert: Statement<[Binds]>
  readonly #insertJobs: Statement<[Binds]>
  readonly #read: Statement<[Binds], TaskRow>
  readonly #readContent: Statement<[Binds], { principal: string; content_hash: string }>
  readonly #settle: Statement<[Binds]>
  readonly #cancel: Statement<[Binds]>

  constructor(prepare: Prepare) {
    this.#insert = prepare('insert_task')
    this.#insertJobs = prepare('insert_task_jobs')
    this.#read = prepare<TaskRow>('read_task')
    this.#readContent = prepare<{ principal: string; content_hash: string }>('read_task_content')
    this.#settle = prepare('settle_task_if_open')
    this.#cancel = prepare('cancel_task_if_open')
  }

  create(task: NewTask): CreateTaskOutcome {
    const known = this.#readContent.get({ id_hash: hashOf(task.taskId) })
    if (known !== undefined) {
      const isRepeat = known.principal === task.principal && known.content_hash === task.contentHash
      return isRepeat ? { kind: 'existing', task: this.#mustRead(task) } : { kind: 'conflict' }
    }
    const ids = JSON.stringify(task.ids)
    const { changes, lastInsertRowid } = this.#insert.run({
      ...nameBinds(task),
      tool: task.tool,
      until: task.until,
      since: task.since,
      ids,
      submitted: task.submitted === null ? null : JSON.stringify(task.submitted),
      content_hash: task.contentHash,
      now: task.now,
    })
    if (changes === 0) return { kind: 'no_job' }
    this.#insertJobs.run({ task_seq: lastInsertRowid as number, ids })
    return { kind: 'created', task: this.#mustRead(task) }
  }

  read(name: TaskName): Task | null {
    const row = this.#read.get(nameBinds(name))
    return row === undefined ? null : toTask(row)
  }

  settle(name: TaskName, outcome: Json, now: number): boolean {
    return this.#settle.run({ ...nameBinds(name), outcome: JSON.stringify(outcome), now }).changes === 1
  }

  cancel(name: TaskName, now: number): boolean {
    return this.#cancel.run({ ...nameBinds(name), now }).changes === 1
  }

  #mustRead(name: TaskName): Task {
    const task = this.read(name)
    if (task === null) throw new Error('a task vanished within a transaction')
    return task
  }
}

function nameBinds({ taskId, principal }: TaskName): Binds {
  return { id_hash: hashOf(taskId), principal }
}

/** Without a salt: nobody guesses 128 random bits. */
function hashOf(taskId: string): Buffer {
  return createHash('sha256').update(taskId).digest()
}

function toTask(row: TaskRow): Task {
  const jobIds = JSON.parse(row.job_ids) as string[]
  return {
    tool: row.tool,
    until: row.until,
    since: row.since,
    ids: JSON.parse(row.ids) as string[],
    submitted: row.submitted === null ? null : (JSON.parse(row.submitted) as JsonObject),
    jobIds,
    deletedJobs: row.job_count - jobIds.length,
    createdAt: row.created_at,
    cancelledAt: row.cancelled_at,
    settledAt: row.settled_at,
    outcome: row.outcome === null ? null : (JSON.parse(row.outcome) as Json),
  }
}
