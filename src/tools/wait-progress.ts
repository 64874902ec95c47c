import type { JobView } from '../domain/wire/shared.ts'
import type { CallProgress } from './define-tool.ts'

const everyMs = 1_000

export interface WaitProgressOptions {
  /** Longest wait, in seconds. */
  readonly totalSeconds: number
  /** The jobs as they are now. */
  readonly look: () => Promise<readonly JobView[]>
  readonly report: (progress: CallProgress) => void
  /** Monotonic ms. */
  readonly now: () => number
}

/**
 * Reports once a second how long a wait has lasted and how its jobs are. The number is the time, because it must never
 * go back; how far the jobs are stands in the message. What jobs print is left out: clients show the message as ours.
 * @returns a function that ends it; nothing is reported afterwards
 */
export function reportWhileWaiting({ totalSeconds, look, report, now }: WaitProgressOptions): () => void {
  const begun = now()
  let ended = false
  let looking = false
  const tick = async () => {
    if (looking) return
    looking = true
    // Without an answer the time alone is told.
    const jobs = await look().catch(() => [])
    looking = false
    if (ended) return
    const message = waitMessage(jobs)
    const elapsed = Math.round((now() - begun) / 100) / 10
    report({ progress: elapsed, total: Math.max(totalSeconds, elapsed), ...(message === '' ? {} : { message }) })
  }
  const timer = setInterval(() => void tick(), everyMs)
  return () => {
    ended = true
    clearInterval(timer)
  }
}

/** @returns how the jobs are, in a few words: "running for 12 s (45%)", "2 of 5 jobs have ended". */
export function waitMessage(jobs: readonly JobView[]): string {
  const [job] = jobs
  if (job === undefined) return ''
  if (jobs.length > 1) return `${jobs.filter((one) => one.final).length} of ${jobs.length} jobs have ended`
  const percent = job.progress?.percent ?? null
  return percent === null ? job.why : `${job.why} (${percent}%)`
}
