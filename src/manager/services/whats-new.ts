import { harmlessText } from '../../domain/display-text.ts'
import type { Job } from '../../domain/job.ts'
import { isFinalJobState } from '../../domain/states.ts'
import type { WhatsNewAnswer } from '../../domain/wire/jobs.ts'
import type { OperationCall } from '../../domain/wire/operations.ts'
import { displayOf } from './job-view.ts'
import type { ServiceContext } from './service-context.ts'

type Line = WhatsNewAnswer['finished'][number]

/** The whole answer stays under this (DESIGN §10.14); beyond it counts speak and `more` is set. */
const largestAnswerBytes = 4_000
const mostFinishedRead = 1_000
const mostUnfinishedRead = 100
/** Lines that are not news keep this many places when what ended does not fit; then, if even one line does not fit, fewer. */
const fewPlaces = { needs_you: 3, unfinished: 3 }
const fewestPlaces = { needs_you: 1, unfinished: 0 }
const longestText = 120

/**
 * Digest for a new chat: what ended since this reader last acknowledged, what waits for a person, what still runs. Only
 * `acknowledge` moves the mark, so an answer that was lost loses nothing; what was shown but not acknowledged comes again.
 * When not everything fits, the oldest ends come first and the cursor stops before the first that was left out.
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
  const ended = store.readFinishedJobs(mark.acknowledged, mostFinishedRead).map(({ job, eventId }) => ({
    list: endedLists[job.state as keyof typeof endedLists],
    eventId,
    line: line(context, job, job.finishedAt ?? job.createdAt, eventId <= mark.shown),
  }))
  const open = store
    .listJobs({ states: ['queued', 'running'] }, { limit: mostUnfinishedRead })
    .map((job) => line(context, job, job.startedAt ?? job.createdAt, false))
  const needsYou = open.filter((item) => item.state === 'awaiting_approval')
  const unfinished = open.filter((item) => item.state !== 'awaiting_approval')
  const countOf = (list: EndedLine['list']) => ended.filter((item) => item.list === list).length
  const counts = {
    finished: countOf('finished'),
    failed: countOf('failed'),
    cancelled: countOf('cancelled'),
    needs_you: needsYou.length,
    unfinished: open.length < mostUnfinishedRead ? unfinished.length : countUnfinished(context) - needsYou.length,
  }
  const build = (shown: Shown): WhatsNewAnswer => {
    const firstLeftOut = ended[shown.ended]
    const cursor =
      firstLeftOut !== undefined
        ? firstLeftOut.eventId - 1
        : ended.length === mostFinishedRead
          ? (ended.at(-1)?.eventId ?? newest)
          : newest
    const endedIn = (list: EndedLine['list']) =>
      ended.slice(0, shown.ended).flatMap((item) => (item.list === list ? [item.line] : []))
    const isCut = firstLeftOut !== undefined || ended.length === mostFinishedRead
    return {
      finished: endedIn('finished'),
      failed: endedIn('failed'),
      cancelled: endedIn('cancelled'),
      needs_you: needsYou.slice(0, shown.needs_you),
      unfinished: unfinished.slice(0, shown.unfinished),
      counts,
      more: isCut || shown.needs_you < counts.needs_you || shown.unfinished < counts.unfinished,
      cursor: String(cursor),
      next: nextStep(ended.length, cursor, isCut),
    }
  }
  const answer = build(fit(build({ ended: 0, needs_you: 0, unfinished: 0 }), ended, needsYou, unfinished))
  const cursor = Number(answer.cursor)
  if (cursor > mark.shown) await commits.run(() => store.recordShown(reader, cursor))
  return answer
}

const endedLists = { completed: 'finished', failed: 'failed', cancelled: 'cancelled' } as const

interface EndedLine {
  readonly list: (typeof endedLists)[keyof typeof endedLists]
  readonly eventId: number
  readonly line: Line
}

/** How many lines of each kind are in the answer, from the beginning. */
interface Shown {
  ended: number
  needs_you: number
  unfinished: number
}

function countUnfinished({ store, clock }: ServiceContext): number {
  const { queued, running } = store.readStatistics(clock.now()).jobs
  return queued + running
}

function nextStep(ended: number, cursor: number, isCut: boolean): string {
  if (ended === 0) return 'Nothing ended since the last look.'
  const acknowledge = `Tell the person, then call whats_new {"acknowledge":"${cursor}"}`
  return isCut ? `${acknowledge}: it shows what ended next.` : `${acknowledge} so that it is not told again.`
}

function line(context: ServiceContext, job: Job, at: number, shownBefore: boolean): Line {
  const display = displayOf(context, job)
  const cut = (text: string) => (text.length <= longestText ? text : `${text.slice(0, longestText - 1)}…`)
  return {
    id: job.id,
    name: cut(harmlessText(job.name)),
    state: isFinalJobState(job.state) ? job.state : display.state,
    why: cut(harmlessText(display.why)),
    at: new Date(at).toISOString(),
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
  ended: readonly EndedLine[],
  needsYou: readonly Line[],
  unfinished: readonly Line[],
): Shown {
  const sizes = {
    ended: ended.map((item) => sizeOf(item.line)),
    needs_you: needsYou.map(sizeOf),
    unfinished: unfinished.map(sizeOf),
  }
  // Digits of the cursor may grow while lines come in.
  const empty = largestAnswerBytes - Buffer.byteLength(JSON.stringify(frame)) - 32
  let room = empty
  const shown: Shown = { ended: 0, needs_you: 0, unfinished: 0 }
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
    Object.assign(shown, { ended: 0, needs_you: 0, unfinished: 0 })
    fill('needs_you', places.needs_you)
    fill('unfinished', places.unfinished)
    fill('ended')
    if (shown.ended > 0) break
  }
  fill('needs_you')
  fill('unfinished')
  return shown
}

/** Bytes of a line in the answer, with its comma. */
function sizeOf(line: Line): number {
  return Buffer.byteLength(JSON.stringify(line)) + 1
}
