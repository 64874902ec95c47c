import type { ManagerClient } from '../client/manager-client.ts'
import type { WaitAnswer } from '../domain/wire/jobs.ts'
import { longestWaitSeconds } from '../domain/wire/jobs.ts'
import type { JobView } from '../domain/wire/shared.ts'
import { jobProgressLine, progressText } from './display/progress-bar.ts'
import { waitsForPerson } from './exit-codes.ts'
import type { Session } from './session.ts'

export interface WatchOptions {
  readonly ids: readonly string[]
  readonly until: 'all_ended' | 'any_ended'
  /** Longest time in ms; undefined waits for ever. */
  readonly timeoutMs?: number | undefined
  /** Shows nothing while it waits. */
  readonly quiet?: boolean
}

/** Between two looks while a person watches a terminal; otherwise the manager's long poll is used to the full. */
const liveRefreshSeconds = 0.5
const loggedPercentStep = 10

/**
 * Waits for jobs as long as wanted by repeating long polls. Draws live bars on a terminal, prints a line per change of
 * state (or ten percent) elsewhere.
 * @returns the last answer, `waited_s` over all polls
 */
export async function watchJobs(session: Session, client: ManagerClient, options: WatchOptions): Promise<WaitAnswer> {
  const { terminal } = session
  const started = session.now()
  const silent = session.json || options.quiet === true
  const told = new Map<string, string>()
  let cursor: string | undefined
  for (;;) {
    const leftSeconds =
      options.timeoutMs === undefined
        ? Number.POSITIVE_INFINITY
        : (options.timeoutMs - (session.now() - started)) / 1000
    const step = Math.max(0, Math.min(leftSeconds, !silent && terminal.live ? liveRefreshSeconds : longestWaitSeconds))
    // Told changes need their own wake-ups; a first look gives the start without waiting.
    const lines = !silent && !terminal.live
    const request = {
      ids: [...options.ids],
      until: lines ? ('any_changed' as const) : options.until,
      timeout_s: lines && cursor === undefined ? 0 : step,
      ...(lines && cursor !== undefined ? { cursor } : {}),
    }
    const answer = await client.call('wait_for_jobs', request, { signal: session.interrupted })
    cursor = answer.cursor
    const ended = answer.jobs.filter((job) => job.final).length
    const satisfied =
      ended > 0 || answer.jobs.length === 0 ? options.until === 'any_ended' || ended === answer.jobs.length : false
    if (!silent) show(session, answer.jobs, told)
    const waitedMs = session.now() - started
    if (
      satisfied ||
      waitsForPerson(answer.jobs) ||
      (options.timeoutMs !== undefined && waitedMs >= options.timeoutMs)
    ) {
      terminal.liveEnd()
      return { ...answer, satisfied, waited_s: waitedMs / 1000 }
    }
  }
}

function show(session: Session, jobs: readonly JobView[], told: Map<string, string>): void {
  const { terminal } = session
  if (terminal.live) {
    terminal.draw(jobs.map((job) => jobProgressLine(job, terminal)))
    return
  }
  for (const job of jobs) {
    const percent = job.progress?.percent ?? null
    const mark = `${job.state} ${percent === null ? '' : Math.floor(percent / loggedPercentStep)}`
    if (told.get(job.id) === mark) continue
    told.set(job.id, mark)
    const progress = job.final ? '' : progressText(job.progress)
    // Where it computed, and above all that it fell back, is never silent.
    const mode = job.final && job.gpu !== undefined ? (job.execution_mode ?? '') : ''
    const parts = [job.id, job.state, progress, terminal.harmless(job.why), mode]
    terminal.line(parts.filter((part) => part !== '').join('  '))
    if (job.state === 'awaiting_approval') {
      terminal.note(
        `nightkiln approve ${job.id}   or   nightkiln reject ${job.id}   (nightkiln status shows its review)`,
      )
    }
  }
}
