import { QueueError } from '../../domain/errors.ts'
import type { Caller } from '../served.ts'
import type { TaskBackend, TaskState } from '../tasks/task-backend.ts'
import { UnknownTaskError } from '../tasks/task-backend.ts'
import type { Change, ChangeFeed } from './change-feed.ts'

/** Where notifications of one connection (or of all of an HTTP endpoint) go. */
export interface AnnouncementTarget {
  resourceUpdated(uri: string): void
  resourceListChanged(): void
  toolListChanged(): void
  taskChanged(taskId: string, state: TaskState): void
}

/** Turns changes of the queue into the notifications that somebody asked for. Every function returned ends what it began. */
export interface Announcer {
  watchResource(uri: string): () => void
  watchLists(): () => void
  /** @returns the ids that are the caller's, and the end of telling of them */
  watchTasks(taskIds: readonly string[], caller: Caller): Promise<{ readonly agreed: readonly string[]; end(): void }>
}

export interface AnnouncerOptions {
  readonly changes: ChangeFeed
  readonly tasks: () => Promise<TaskBackend>
  readonly target: AnnouncementTarget
}

/** The list of resources names recent jobs; a burst of submits is one change of it. */
const listPauseMs = 1_000
const jobUri = /^job:\/\/([^/]+)(?:\/|$)/

export function createAnnouncer({ changes, tasks, target }: AnnouncerOptions): Announcer {
  /** What stays quiet until its pause is over, by what it is. */
  const paused = new Map<string, { again: boolean }>()

  /** Tells at once, then at most once a pause. */
  const tellSparingly = (what: string, tell: () => void) => {
    const waiting = paused.get(what)
    if (waiting !== undefined) {
      waiting.again = true
      return
    }
    tell()
    const pause = { again: false }
    paused.set(what, pause)
    setTimeout(() => {
      paused.delete(what)
      if (pause.again) tellSparingly(what, tell)
    }, listPauseMs).unref()
  }

  return {
    watchResource(uri) {
      const jobId = jobUri.exec(uri)?.[1]
      const isOfTypes = uri === 'queue://types'
      const onChange = (change: Change) => {
        if (change.kind === 'job_types' && !isOfTypes) return
        if (change.kind === 'job' && isOfTypes) return
        tellSparingly(uri, () => target.resourceUpdated(uri))
      }
      return isOfTypes ? changes.overhear(onChange) : changes.follow(jobId === undefined ? null : [jobId], onChange)
    },

    watchLists: () =>
      changes.overhear((change) => {
        if (change.kind !== 'job') target.toolListChanged()
        if (change.kind === 'everything' || isOfLists(change)) {
          tellSparingly('resource list', () => target.resourceListChanged())
        }
      }),

    async watchTasks(taskIds, caller) {
      const ends = new AbortController()
      const backend = await tasks()
      const agreed: string[] = []
      for (const taskId of new Set(taskIds)) {
        try {
          await backend.watch([taskId], caller, (id, state) => target.taskChanged(id, state), ends.signal)
          agreed.push(taskId)
        } catch (error) {
          // The acknowledgement names what is agreed to; the rest the client learns from tasks/get.
          if (!(error instanceof UnknownTaskError || error instanceof QueueError)) throw error
        }
      }
      return { agreed, end: () => ends.abort() }
    },
  }
}

function isOfLists(change: Change): boolean {
  return change.kind === 'job' && change.type === 'job.submitted'
}
