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
/** Many join at once when a client listens to many things, ms. */
const adjustMs = 20
const firstPauseMs = 200
const longestPauseMs = 10_000

interface Follower {
  readonly jobIds: readonly string[] | null
  readonly listener: ChangeListener
  /** False until a stream that tells it is open: what changed before then it has not heard of. */
  isCovered: boolean
}

interface Stream {
  readonly of: string
  readonly ends: AbortController
}

export function createChangeFeed({ notices, leaving }: ChangeFeedOptions): ChangeFeed {
  const followers = new Set<Follower>()
  const overhearers = new Set<Follower>()
  let stream: Stream | null = null
  let quietTimer: NodeJS.Timeout | undefined
  let adjustTimer: NodeJS.Timeout | undefined
  let isBusy = false
  let isOpen = false

  const everybody = () => [...followers, ...overhearers]
  const tell = (change: Change) => {
    for (const { jobIds, listener } of everybody()) {
      if (change.kind !== 'job' || jobIds === null || jobIds.includes(change.jobId)) listener(change)
    }
  }
  const tellUncovered = () => {
    for (const follower of everybody()) {
      if (follower.isCovered) continue
      follower.isCovered = true
      follower.listener({ kind: 'everything' })
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
  const adjustSoon = () => {
    adjustTimer ??= setTimeout(adjust, adjustMs)
  }
  const adjust = () => {
    clearTimeout(adjustTimer)
    adjustTimer = undefined
    const jobIds = wanted()
    const of = jobIds === undefined ? undefined : JSON.stringify(jobIds)
    if (of === stream?.of) {
      // Whoever joined follows what is followed already; the open stream has told it nothing yet.
      if (isOpen) tellUncovered()
      return
    }
    const old = stream
    stream = null
    isOpen = false
    if (jobIds === undefined || of === undefined) {
      old?.ends.abort()
      return
    }
    stream = { of, ends: new AbortController() }
    void run(jobIds, stream, old)
  }

  /** @param old told from until this one is open, so that nothing is missed in between */
  async function run(jobIds: readonly string[] | null, own: Stream, old: Stream | null): Promise<void> {
    const { signal } = own.ends
    signal.addEventListener('abort', () => old?.ends.abort(), { once: true })
    let pauseMs = firstPauseMs
    while (!signal.aborted) {
      try {
        for await (const notice of notices(jobIds, signal)) {
          if (signal.aborted) return
          pauseMs = firstPauseMs
          if (notice.kind === 'job') tell({ kind: 'job', jobId: notice.event.job_id, type: notice.event.type })
          else if (notice.kind === 'job_types') tell({ kind: 'job_types' })
          else if (notice.kind === 'reset') tell({ kind: 'everything' })
          else {
            old?.ends.abort()
            if (stream === own) isOpen = true
            tellUncovered()
          }
        }
      } catch {
        // The manager went away or could not be reached: its successor is asked, later and later.
      }
      if (stream === own && !signal.aborted) {
        isOpen = false
        for (const follower of everybody()) follower.isCovered = false
      }
      await pause(pauseMs, signal)
      pauseMs = Math.min(pauseMs * 2, longestPauseMs)
    }
  }

  const joined = (set: Set<Follower>, follower: Follower) => {
    set.add(follower)
    adjustSoon()
    return () => {
      set.delete(follower)
      adjustSoon()
    }
  }

  leaving.addEventListener('abort', adjust, { once: true })
  return {
    follow: (jobIds, listener) => joined(followers, { jobIds, listener, isCovered: false }),
    // The first stream is no change of a list: only one that was lost leaves something untold.
    overhear: (listener) => joined(overhearers, { jobIds: null, listener, isCovered: true }),
    noteCall() {
      isBusy = true
      clearTimeout(quietTimer)
      quietTimer = setTimeout(() => {
        isBusy = false
        adjustSoon()
      }, afterCallMs)
      quietTimer.unref()
      adjustSoon()
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
