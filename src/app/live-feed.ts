/** Pauses between looks, ms. */
const whileBusyMs = 2_000
const whileIdleMs = 4_000
const retriesMs = [2_000, 4_000, 8_000, 15_000, 30_000] as const

export interface FeedParts {
  /** One look at the queue. @returns whether something goes on there @throws when nobody answered */
  look(): Promise<boolean>
  /** A page that nobody sees asks nothing. */
  isVisible(): boolean
  /** Calls back once after so many ms; @returns what prevents it */
  after(ms: number, call: () => void): () => void
  onLive(): void
  /** @param retryMs until the next try */
  onLost(reason: string, retryMs: number): void
}

export interface LiveFeed {
  /** Looks now: at the start, when the page is seen again, after something was done. */
  nudge(): void
  stop(): void
}

/** Looks at the queue again and again: one look at a time, slower when nothing goes on, ever slower while nobody answers. */
export function createLiveFeed(parts: FeedParts): LiveFeed {
  let cancelTimer: (() => void) | null = null
  let isLooking = false
  let isWanted = false
  let isStopped = false
  let failures = 0

  const schedule = (ms: number): void => {
    cancelTimer?.()
    cancelTimer = parts.after(ms, run)
  }

  const run = (): void => {
    cancelTimer?.()
    cancelTimer = null
    if (isStopped || !parts.isVisible()) return
    if (isLooking) {
      isWanted = true
      return
    }
    isLooking = true
    isWanted = false
    parts.look().then(
      (isBusy) => ended(isBusy ? whileBusyMs : whileIdleMs, null),
      (error: unknown) => ended(retryAfter(), error instanceof Error ? error.message : String(error)),
    )
  }

  const retryAfter = (): number => {
    failures += 1
    return retriesMs[Math.min(failures, retriesMs.length) - 1] ?? whileIdleMs
  }

  const ended = (nextMs: number, lost: string | null): void => {
    isLooking = false
    if (isStopped) return
    if (lost === null) {
      failures = 0
      parts.onLive()
    } else parts.onLost(lost, nextMs)
    if (isWanted) run()
    else schedule(nextMs)
  }

  return {
    nudge: run,
    stop() {
      isStopped = true
      cancelTimer?.()
    },
  }
}
