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
const longestText = 120

/**
 * Digest for a new chat: what ended since this reader last acknowledged, what waits for a person, what still runs. Only
 * `acknowledge` moves the mark, so an answer that was lost loses nothing; what was shown but not acknowledged comes again.
 */
export async function whatsNew(context: ServiceContext, request: OperationCall<'whats_new'>): Promise<WhatsNewAnswer> {
  const { store, commits, facts } = context
  const reader = request.client === undefined ? facts.user : `${facts.user}/${request.client}`
  const newest = store.lastEventId()
  const mark = await commits.run(() =>
    request.acknowledge === undefined
      ? store.readWatermark(reader)
      : store.acknowledge(reader, Math.min(Number(request.acknowledge), newest)),
  )
  const ended = store.readFinishedJobs(mark.acknowledged, mostFinishedRead)
  const unfinished = store
    .listJobs({ states: ['queued', 'running'] }, { limit: mostUnfinishedRead })
    .map((job) => line(context, job, job.startedAt ?? job.createdAt, false))
  const lines = ended.map(({ job, eventId }) =>
    line(context, job, job.finishedAt ?? job.createdAt, eventId <= mark.shown),
  )
  const ofState = (state: Job['state']) => lines.filter((_, index) => ended[index]?.job.state === state)
  const needsYou = unfinished.filter((item) => item.state === 'awaiting_approval')
  const lists = {
    finished: ofState('completed'),
    failed: ofState('failed'),
    cancelled: ofState('cancelled'),
    needs_you: needsYou,
    unfinished: unfinished.filter((item) => item.state !== 'awaiting_approval'),
  }
  const cursor = ended.length === mostFinishedRead ? (ended.at(-1)?.eventId ?? newest) : newest
  const answer = fit({
    ...lists,
    counts: {
      finished: lists.finished.length,
      failed: lists.failed.length,
      cancelled: lists.cancelled.length,
      needs_you: lists.needs_you.length,
      unfinished: lists.unfinished.length,
    },
    more: ended.length === mostFinishedRead || unfinished.length === mostUnfinishedRead,
    cursor: String(cursor),
    next:
      lines.length === 0
        ? 'Nothing ended since the last look.'
        : `Tell the person, then call whats_new {"acknowledge":"${cursor}"} so that it is not told again.`,
  })
  if (cursor > mark.shown) await commits.run(() => store.recordShown(reader, cursor))
  return answer
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

/** Drops lines until the answer fits: finished work first, what needs a person last. Counts stay exact. */
function fit(answer: WhatsNewAnswer): WhatsNewAnswer {
  const fitted = { ...answer }
  for (const key of ['finished', 'cancelled', 'unfinished', 'failed', 'needs_you'] as const) {
    while (fitted[key].length > 0 && Buffer.byteLength(JSON.stringify(fitted)) > largestAnswerBytes) {
      const keep = Math.floor(fitted[key].length / 2)
      fitted[key] = fitted[key].slice(fitted[key].length - keep)
      fitted.more = true
    }
  }
  return fitted
}
