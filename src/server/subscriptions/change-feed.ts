import type { ManagerNotice } from '../../client/manager-client.ts'

/** What may have changed. `everything`: the stream was away, so anything may have. */
export type Change =
  | { readonly kind: 'job'; readonly jobId: string; readonly type: string }
  | { readonly kind: 'job_types' }
  | { readonly kind: 'everything' }

export type ChangeListener = (change: Change) => void

/** What the manager tells of itself, for all connections of this process over one stream. */
export interface ChangeFeed {
  /**
   * Tells of changes of these jobs (null: of any), and keeps the stream open, and so the manager.
   * @returns a function that ends it
   */
  follow(jobIds: readonly string[] | null, listener: ChangeListener): () => void
  /** Tells of new jobs and job types, for some time after each call: lists are worth no manager of their own. */
  overhear(listener: ChangeListener): () => void
  /** A call was made: the stream is worth having for a while. */
  noteCall(): void
}

export interface ChangeFeedOptions {
  /** The stream of the manager, which is started when there is none: of some jobs (null: of all), and always of new ones. */
  readonly notices: (jobIds: readonly string[] | null, signal: AbortSignal) => AsyncIterable<ManagerNotice>
  /** Ends everything. */
  readonly leaving: AbortSignal
}

/** For so long after a call those who overhear are told, ms. */
const afterCallMs = 5 * 60_000
const firstPauseMs = 200
const longestPauseMs = 10_000

interface Follower {
  readonly jobIds: readonly string[] | null
  readonly listener: ChangeListener
}

export function createChangeFeed({ notices, leaving }: ChangeFeedOptions): ChangeFeed {
  const followers = new Set<Follower>()
  const overhearers = new Set<Follower>()
  let stream: { readonly of: string; readonly ends: AbortController } | null = null
  let quietTimer: NodeJS.Timeout | undefined
  let isBusy = false
  let adjusting = false

  const tell = (change: Change) => {
    for (const { jobIds, listener } of [...followers, ...overhearers]) {
      if (change.kind !== 'job' || jobIds === null || jobIds.includes(change.jobId)) listener(change)
    }
  }

  /** @returns the jobs whose changes somebody follows, null for all; undefined when no stream is wanted. */
  const wanted = (): readonly string[] | null | undefined => {
    if (leaving.aborted || (followers.size === 0 && !(isBusy && overhearers.size > 0))) return undefined
    const all = [...followers]
    if (all.some(({ jobIds }) => jobIds === null)) return null
    return [...new Set(all.flatMap(({ jobIds }) => jobIds ?? []))].sort()
  }

  /** Once for all that join and leave in the same moment: another choice of jobs is another stream. */
  const adjust = () => {
    if (adjusting) return
    adjusting = true
    queueMicrotask(() => {
      adjusting = false
      const jobIds = wanted()
      const of = jobIds === undefined ? undefined : JSON.stringify(jobIds)
      if (of === stream?.of) return
      stream?.ends.abort()
      stream = null
      if (jobIds === undefined || of === undefined) return
      stream = { of, ends: new AbortController() }
      void run(jobIds, stream.ends.signal)
    })
  }

  async function run(jobIds: readonly string[] | null, signal: AbortSignal): Promise<void> {
    let pauseMs = firstPauseMs
    while (!signal.aborted) {
      try {
        for await (const notice of notices(jobIds, signal)) {
          pauseMs = firstPauseMs
          if (signal.aborted) return
          if (notice.kind === 'job') tell({ kind: 'job', jobId: notice.event.job_id, type: notice.event.type })
          else if (notice.kind === 'job_types') tell({ kind: 'job_types' })
          else tell({ kind: 'everything' })
        }
      } catch {
        // The manager went away or could not be reached: its successor is asked, later and later.
      }
      await pause(pauseMs, signal)
      pauseMs = Math.min(pauseMs * 2, longestPauseMs)
    }
  }

  const joined = (set: Set<Follower>, follower: Follower) => {
    set.add(follower)
    adjust()
    return () => {
      set.delete(follower)
      adjust()
    }
  }

  leaving.addEventListener('abort', adjust, { once: true })
  return {
    follow: (jobIds, listener) => joined(followers, { jobIds, listener }),
    overhear: (listener) => joined(overhearers, { jobIds: null, listener }),
    noteCall() {
      isBusy = true
      clearTimeout(quietTimer)
      quietTimer = setTimeout(() => {
        isBusy = false
        adjust()
      }, afterCallMs)
      quietTimer.unref()
      adjust()
    },
  }
}

/** Ends early with the signal, and keeps no process alive. */
function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, milliseconds)
    timer.unref()
    signal.addEventListener('abort', end, { once: true })
  })
}
