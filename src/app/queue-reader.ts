import type { LogsAnswer, StatusAnswer } from '../domain/wire/jobs.ts'
import type { JobLine, JobView } from '../domain/wire/shared.ts'
import { type Filter, finishedStates, groupOf, isFinal } from './job-groups.ts'
import { type JobPage, type KnownJobs, shownJobs, vanished, withFates, withLook, withOlder } from './known-jobs.ts'
import { type LogTail, nextLogCall, withLog, withoutLog } from './log-tail.ts'
import { type CallTool, ToolRefusal } from './tool-answer.ts'

/** Rows of a page: their answer stays well under the length that servers cut answers to. */
const pageRows = 25
/** Unfinished jobs that are looked at every time. */
const unfinishedPages = 4
/** The first pages of the past may hold nothing but what is known. */
const olderPages = 4
/** Running jobs whose estimate is asked for every time. */
const estimated = 8
/** Ids in one job_status. */
const statusIds = 20

/** What of the board a look depends on, and what it renews. */
export interface QueueSeen {
  readonly known: KnownJobs
  /** Details: of the chosen job, and of the running ones that are shown. */
  readonly views: ReadonlyMap<string, JobView>
  readonly log: LogTail | null
}

export interface Wish {
  readonly filter: Filter
  readonly search: string
  readonly selected: string | null
}

/** Looks at the queue once. @returns what is seen now @throws when a tool could not be reached or refused */
export async function lookAtQueue(call: CallTool, seen: QueueSeen, wish: Wish): Promise<QueueSeen> {
  const newest = await call<JobPage>('list_jobs', { ...searched(wish), limit: pageRows })
  const unfinished = newest.has_more ? await readUnfinished(call, wish) : { jobs: newest.jobs, isMore: false }
  let known = withLook(seen.known, newest, unfinished.jobs.filter(goesOn), unfinished.isMore)
  const lost = unfinished.isMore ? [] : vanished(known, [...unfinished.jobs, ...newest.jobs]).slice(0, statusIds)
  const wanted = statusWanted(known, seen, wish)
  const asked = [...new Set([...lost, ...wanted])].slice(0, statusIds)
  const { jobs, missing } =
    asked.length === 0 ? nobody : await call<StatusAnswer>('job_status', { ids: asked.slice(0, statusIds) })
  known = withFates(
    known,
    jobs.filter((job) => known.byId.has(job.id)),
    missing,
  )
  const views = new Map(jobs.map((job) => [job.id, job]))
  const chosen = wish.selected === null ? undefined : seen.views.get(wish.selected)
  if (chosen !== undefined && !views.has(chosen.id) && !missing.includes(chosen.id)) views.set(chosen.id, chosen)
  return { known, views, log: await readLog(call, seen.log, views, wish) }
}

/** @returns what is known with further finished jobs of a filter, at least one that is new as long as there is any */
export async function readOlder(call: CallTool, known: KnownJobs, wish: Wish): Promise<KnownJobs> {
  const request = { ...searched(wish), states: finishedStates(wish.filter), limit: pageRows }
  let read = known
  for (let pages = 0; pages < olderPages; pages += 1) {
    const cursor = read.reach[wish.filter]?.cursor ?? null
    const page = await call<JobPage>('list_jobs', cursor === null ? request : { ...request, cursor })
    read = withOlder(read, wish.filter, page)
    if (read.byId.size > known.byId.size || !page.has_more) break
  }
  return read
}

const nobody: Pick<StatusAnswer, 'jobs' | 'missing'> = { jobs: [], missing: [] }

function goesOn(job: JobLine): boolean {
  return !isFinal(job.state)
}

function searched({ search }: Wish): Readonly<Record<string, unknown>> {
  return search === '' ? {} : { text: search }
}

async function readUnfinished(call: CallTool, wish: Wish): Promise<{ jobs: readonly JobLine[]; isMore: boolean }> {
  const jobs: JobLine[] = []
  let cursor: string | null = null
  for (let pages = 0; pages < unfinishedPages; pages += 1) {
    const filter = { ...searched(wish), states: ['unfinished'], limit: pageRows }
    const page: JobPage = await call<JobPage>('list_jobs', cursor === null ? filter : { ...filter, cursor })
    jobs.push(...page.jobs)
    cursor = page.next_cursor
    if (!page.has_more || cursor === null) return { jobs, isMore: false }
  }
  return { jobs, isMore: true }
}

/** A finished job stays as it is: its details are asked for once. */
function statusWanted(known: KnownJobs, seen: QueueSeen, { filter, selected }: Wish): readonly string[] {
  const running = shownJobs(known, filter).filter((job) => groupOf(job.state) === 'running')
  const ids = running.slice(0, estimated).map(({ id }) => id)
  const isRead = selected === null || seen.views.get(selected)?.final === true
  return isRead ? ids : [selected, ...ids]
}

async function readLog(
  call: CallTool,
  tail: LogTail | null,
  views: ReadonlyMap<string, JobView>,
  { selected }: Wish,
): Promise<LogTail | null> {
  const job = selected === null ? undefined : views.get(selected)
  if (job === undefined) return null
  const request = nextLogCall(tail, job)
  if (request === null) return tail
  try {
    return withLog(tail, await call<LogsAnswer>('job_logs', request), job.final)
  } catch (error) {
    // One output that cannot be read must not hide the whole queue.
    if (error instanceof ToolRefusal) return withoutLog(tail, job.id, error.message)
    throw error
  }
}
