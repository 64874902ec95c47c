import { setMaxListeners } from 'node:events'
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
  /** @param watch the number that `watchTasks` gave */
  taskChanged(taskId: string, state: TaskState, watch: number): void
}

/** Turns changes of the queue into the notifications that somebody asked for. Every function returned ends what it began. */
export interface Announcer {
  watchResource(uri: string): () => void
  watchLists(): () => void
  watchTasks(taskIds: readonly string[], caller: Caller): Promise<WatchedTasks>
}

/** Tasks that somebody is told of from now on. */
export interface WatchedTasks {
  /** The ids that are the caller's. */
  readonly agreed: readonly string[]
  /** Used once in the life of an announcer. */
  readonly watch: number
  /** Somebody hears it: until then the newest state of each is kept, so that no end is missed. */
  readonly heard: () => void
  readonly end: () => void
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
  let watches = 0

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

  /** What is watched, by its name: the router tells all who asked, so one change is told to it once. */
  const watched = new Map<string, { count: number; readonly end: () => void }>()

  const shared = (name: string, begin: () => () => void) => {
    const watch = watched.get(name) ?? { count: 0, end: begin() }
    watched.set(name, watch)
    watch.count += 1
    let isOver = false
    return () => {
      if (isOver) return
      isOver = true
      watch.count -= 1
      if (watch.count > 0) return
      watched.delete(name)
      watch.end()
    }
  }

  const followResource = (uri: string) => {
    const jobId = jobUri.exec(uri)?.[1]
    const isOfTypes = uri === 'queue://types'
    const onChange = (change: Change) => {
      if (change.kind === 'job_types' && !isOfTypes) return
      if (change.kind === 'job' && isOfTypes) return
      tellSparingly(uri, () => target.resourceUpdated(uri))
    }
    return isOfTypes ? changes.overhear(onChange) : changes.follow(jobId === undefined ? null : [jobId], onChange)
  }

  const overhearLists = () =>
    changes.overhear((change) => {
      if (change.kind !== 'job') tellSparingly('list of tools', () => target.toolListChanged())
      if (change.kind === 'everything' || isOfLists(change)) {
        tellSparingly('list of resources', () => target.resourceListChanged())
      }
    })

  return {
    watchResource: (uri) => shared(uri, () => followResource(uri)),
    watchLists: () => shared('lists', overhearLists),

    async watchTasks(taskIds, caller) {
      watches += 1
      const watch = watches
      const ends = new AbortController()
      // A listener for each task: that is no leak, and Node.js says so on stderr else.
      setMaxListeners(0, ends.signal)
      const waiting = new Map<string, TaskState>()
      let isHeard = false
      const tell = (taskId: string, state: TaskState) => {
        if (isHeard) target.taskChanged(taskId, state, watch)
        else waiting.set(taskId, state)
      }
      const heard = () => {
        isHeard = true
        for (const [taskId, state] of waiting) tell(taskId, state)
        waiting.clear()
      }
      const backend = await tasks()
      const agreed: string[] = []
      for (const taskId of new Set(taskIds)) {
        try {
          await backend.watch([taskId], caller, tell, ends.signal)
          agreed.push(taskId)
        } catch (error) {
          // The acknowledgement names what is agreed to; the rest the client learns from tasks/get.
          if (error instanceof UnknownTaskError || error instanceof QueueError) continue
          ends.abort()
          throw error
        }
      }
      return { agreed, watch, heard, end: () => ends.abort() }
    },
  }
}

function isOfLists(change: Change): boolean {
  return change.kind === 'job' && change.type === 'job.submitted'
}
