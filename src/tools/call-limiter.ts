import { QueueError } from '../domain/errors.ts'

export interface CallLimiter {
  /**
   * Runs the work when a place is free; first come, first served.
   * @throws QueueError limit_exceeded when too many wait already; the signal's reason when it aborts while waiting
   */
  run<Answer>(work: () => Promise<Answer>, signal: AbortSignal): Promise<Answer>
}

export interface CallLimits {
  /** Calls at the manager at once. */
  readonly parallel: number
  /** Calls that may wait for their turn. */
  readonly waiting: number
  /** What the refused caller should do. */
  readonly remedy: string
}

/** Keeps a burst of calls in this process instead of in the manager. */
export function createCallLimiter(limits: CallLimits): CallLimiter {
  let running = 0
  const queue = new Set<() => void>()

  const turn = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const start = () => {
        signal.removeEventListener('abort', leave)
        running += 1
        resolve()
      }
      const leave = () => {
        queue.delete(start)
        reject(signal.reason as Error)
      }
      queue.add(start)
      signal.addEventListener('abort', leave, { once: true })
    })

  const startNext = () => {
    const [next] = queue
    if (next === undefined) return
    queue.delete(next)
    next()
  }

  return {
    async run(work, signal) {
      signal.throwIfAborted()
      if (running < limits.parallel) running += 1
      else if (queue.size < limits.waiting) await turn(signal)
      else {
        throw new QueueError(
          'limit_exceeded',
          `${limits.parallel + limits.waiting} calls of this client are open already`,
          {
            remedy: limits.remedy,
          },
        )
      }
      try {
        return await work()
      } finally {
        running -= 1
        startNext()
      }
    },
  }
}
