import { cutText } from '../../domain/cut-text.ts'
import { harmlessText } from '../../domain/display-text.ts'
import type { Job } from '../../domain/job.ts'
import type { Watermark } from '../../domain/ports/event-store.ts'
import type { ScheduleNews } from '../../domain/ports/schedule-store.ts'
import type { ScheduleRunOutcome } from '../../domain/states.ts'
import type { WhatsNewAnswer } from '../../domain/wire/jobs.ts'
import type { OperationCall } from '../../domain/wire/operations.ts'
import { jobFacts } from './job-facts.ts'
import { estimateOf } from './job-view.ts'
import type { ServiceContext } from './service-context.ts'

type Line = WhatsNewAnswer['finished'][number]
type MissedRun = WhatsNewAnswer['missed_runs'][number]

/** The whole answer stays under this (DESIGN §10.14); beyond it counts speak and `more` is set. */
const largestAnswerBytes = 4_000
const mostNewsRead = 1_000
/** A line has over 100 bytes: more never fit, and each costs reads. */
const mostLines = 40
const mostHeldRead = 1_000
/** Lines that are not news keep this many places when what ended does not fit; then, if even one line does not fit, fewer. */
const fewPlaces = { needs_you: 3, unfinished: 3 }
const fewestPlaces = { needs_you: 1, unfinished: 0 }
const longestText = 120

/**
 * Digest for a new chat: what ended and which due times were missed since this reader last acknowledged, what waits for a
 * person, what still runs. Only `acknowledge` moves the mark, so an answer that was lost loses nothing; what was shown but not
 * acknowledged comes again. When not everything fits, the oldest come first and the cursor stops before the first left out.
 */
export async function whatsNew(context: ServiceContext, request: OperationCall<'whats_new'>): Promise<WhatsNewAnswer> {
  const { store, commits, facts } = context
  const reader = request.client === undefined ? facts.user : `${facts.user}/${request.client}`
  const known = store.lastEventId()
  const mark = await commits.run(() =>
    request.acknowledge === undefined
      ? store.readWatermark(reader)
      : store.acknowledge(reader, Math.min(Number(request.acknowledge), known)),
  )
  // Read in the same turn as the lines: what ends later is after it.
  const newest = store.lastEventId()
  const { news, isMore } = readNews(context, mark)
  const held = store.readHeldJobs(mostHeldRead)
  const isHeld = new Set(held.map((job) => job.id))
  const needsYou = held.slice(0, mostLines).map((job) => line(context, job, job.heldAt ?? job.createdAt, false))
  const unfinished = store
    .listJobs({ states: ['queued', 'running'] }, { limit: mostLines })
    .filter((job) => !isHeld.has(job.id))
    .map((job) => line(context, job, job.startedAt ?? job.createdAt, false))
  const countOf = (list: News['list']) => news.filter((item) => item.list === list).length
  const { queued, running } = store.readStateCounts()
  const counts = {
    finished: countOf('finished'),
    failed: countOf('failed'),
    cancelled: countOf('cancelled'),
    needs_you: held.length,
    unfinished: Math.max(unfinished.length, queued + running - held.length),
    missed_runs: countOf('missed_runs'),
  }
  const build = (shown: Shown): WhatsNewAnswer => {
    const firstLeftOut = news[shown.news]
    const cursor =
      firstLeftOut !== undefined ? firstLeftOut.eventId - 1 : isMore ? (news.at(-1)?.eventId ?? newest) : newest
    const shownNews = news.slice(0, shown.news)
    const jobsIn = (list: News['list']) =>
      shownNews.flatMap((item) => (item.list === list && item.list !== 'missed_runs' ? [item.line()] : []))
    const isCut = firstLeftOut !== undefined || isMore
    return {
      finished: jobsIn('finished'),
      failed: jobsIn('failed'),
      cancelled: jobsIn('cancelled'),
      needs_you: needsYou.slice(0, shown.needs_you),
      unfinished: unfinished.slice(0, shown.unfinished),
      missed_runs: shownNews.flatMap((item) => (item.list === 'missed_runs' ? [item.line()] : [])),
      counts,
      more: isCut || shown.needs_you < counts.needs_you || shown.unfinished < counts.unfinished,
      cursor: String(cursor),
      next: nextStep(news.length, cursor, isCut),
    }
  }
  const answer = build(fit(build({ news: 0, needs_you: 0, unfinished: 0 }), news, needsYou, unfinished))
  const cursor = Number(answer.cursor)
  if (cursor > mark.shown) await commits.run(() => store.recordShown(reader, cursor))
  return answer
}

const endedLists = { completed: 'finished', failed: 'failed', cancelled: 'cancelled' } as const

/** What is told once: a job that ended, or a due time that did not become a job. */
type News =
  | {
      readonly list: (typeof endedLists)[keyof typeof endedLists]
      readonly eventId: number
      readonly line: () => Line
    }
  | { readonly list: 'missed_runs'; readonly eventId: number; readonly line: () => MissedRun }

/** How many lines of each kind are in the answer, from the beginning. */
interface Shown {
  news: number
  needs_you: number
  unfinished: number
}

/** What happened after the mark, in the order it happened, up to the first event of which not everything was read. */
function readNews(
  context: ServiceContext,
  mark: Watermark,
): { readonly news: readonly News[]; readonly isMore: boolean } {
  const { store } = context
  const ended = store.readFinishedJobs(mark.acknowledged, mostNewsRead).map(
    ({ job, eventId }): News => ({
      list: endedLists[job.state as keyof typeof endedLists],
      eventId,
      line: () => line(context, job, job.finishedAt ?? job.createdAt, eventId <= mark.shown),
    }),
  )
  const missed = store.readScheduleNews(mark.acknowledged, mostNewsRead).map(
    (item): News => ({
      list: 'missed_runs',
      eventId: item.eventId,
      line: () => missedLine(item, item.eventId <= mark.shown),
    }),
  )
  const full = [ended, missed].filter((list) => list.length === mostNewsRead)
  const horizon = Math.min(...full.map((list) => list.at(-1)?.eventId ?? 0))
  const news = [...ended, ...missed]
    .filter((item) => item.eventId <= horizon)
    .sort((left, right) => left.eventId - right.eventId)
  return { news, isMore: full.length > 0 }
}

function nextStep(told: number, cursor: number, isCut: boolean): string {
  if (told === 0) return 'Nothing ended since the last look. list_jobs {"limit":10} shows what was before.'
  const acknowledge = `Tell the person, then call whats_new {"acknowledge":"${cursor}"}`
  return isCut ? `${acknowledge}: it shows what ended next.` : `${acknowledge} so that it is not told again.`
}

/** The first line of a text that people read, cut. */
function cut(text: string): string {
  return cutText(harmlessText(text).trim().split('\n', 1)[0] ?? '', longestText)
}

function line(context: ServiceContext, job: Job, at: number, shownBefore: boolean): Line {
  const facts = jobFacts(context, job)
  const eta = job.state === 'running' ? (estimateOf(context, job, facts)?.seconds ?? null) : null
  return {
    id: job.id,
    name: cut(job.name),
    state: facts.display.state,
    why: cut(facts.display.why),
    at: new Date(at).toISOString(),
    shown_before: shownBefore,
    ...(eta === null ? {} : { eta_s: eta }),
  }
}

const missedWords: Readonly<Record<ScheduleRunOutcome, string>> = {
  submitted: 'it became a job',
  missed: 'nothing could run then',
  overlapped: 'the job of an earlier due time was unfinished',
  refused: 'its job was refused',
}

function missedLine({ run, scheduleName }: ScheduleNews, shownBefore: boolean): MissedRun {
  return {
    schedule: scheduleName,
    due_at: new Date(run.dueAt).toISOString(),
    outcome: run.outcome,
    why: cut(run.error === null ? missedWords[run.outcome] : `${missedWords[run.outcome]}: ${run.error}`),
    shown_before: shownBefore,
  }
}

/**
 * Chooses the lines: a few places for what needs a person and what is unfinished, then what ended from the oldest on, then
 * more of the others as far as there is room.
 * @param frame the answer without lines
 */
function fit(
  frame: WhatsNewAnswer,
  news: readonly News[],
  needsYou: readonly Line[],
  unfinished: readonly Line[],
): Shown {
  const sizes = {
    news: news.slice(0, mostLines).map((item) => sizeOf(item.line())),
    needs_you: needsYou.map(sizeOf),
    unfinished: unfinished.map(sizeOf),
  }
  // Digits of the cursor may grow while lines come in.
  const empty = largestAnswerBytes - Buffer.byteLength(JSON.stringify(frame)) - 32
  let room = empty
  const shown: Shown = { news: 0, needs_you: 0, unfinished: 0 }
  const fill = (kind: keyof Shown, places = Number.POSITIVE_INFINITY) => {
    for (;;) {
      const size = sizes[kind][shown[kind]]
      if (size === undefined || size > room || shown[kind] >= places) return
      room -= size
      shown[kind] += 1
    }
  }
  for (const places of [fewPlaces, fewestPlaces]) {
    room = empty
    Object.assign(shown, { news: 0, needs_you: 0, unfinished: 0 })
    fill('needs_you', places.needs_you)
    fill('unfinished', places.unfinished)
    fill('news')
    if (shown.news > 0) break
  }
  fill('needs_you')
  fill('unfinished')
  return shown
}

/** Bytes of a line in the answer, with its comma. */
function sizeOf(line: Line | MissedRun): number {
  return Buffer.byteLength(JSON.stringify(line)) + 1
}
