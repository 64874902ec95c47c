import { expect, test } from 'vitest'
import type { FinalJob, Job } from '../../../src/domain/job.ts'
import type { ScheduleNews } from '../../../src/domain/ports/schedule-store.ts'
import type { ServiceContext } from '../../../src/manager/services/service-context.ts'
import { whatsNew } from '../../../src/manager/services/whats-new.ts'
import { finalJob, noon, queuedJob, startedJob } from '../../support/job-builder.ts'

const name = 'a name that is quite long, as the names of things in a real night of work tend to be, says somebody'

function createQueue() {
  const ended: { job: FinalJob; eventId: number }[] = []
  const unfinished: Job[] = []
  const running: Job[] = []
  const held: Job[] = []
  const missed: ScheduleNews[] = []
  const mark = { acknowledged: 0, shown: 0 }
  let newest = 0
  let whileCommitting: () => void = () => undefined
  const idOf = (number: number) => `01941f29-7c00-7000-8000-${String(number).padStart(12, '0')}`
  const store = {
    lastEventId: () => newest,
    readWatermark: () => ({ ...mark }),
    acknowledge(_reader: string, eventId: number) {
      mark.acknowledged = Math.max(mark.acknowledged, eventId)
      mark.shown = Math.max(mark.shown, eventId)
      return { ...mark }
    },
    recordShown(_reader: string, eventId: number) {
      mark.shown = Math.max(mark.shown, eventId)
    },
    readFinishedJobs: (after: number, limit: number) => ended.filter((item) => item.eventId > after).slice(0, limit),
    listJobs: (_filter: unknown, { limit }: { limit: number }) => [...running, ...unfinished, ...held].slice(0, limit),
    readStateCounts: () => ({ queued: unfinished.length + held.length, running: running.length }),
    readHeldJobs: () => held,
    readScheduleNews: (after: number, limit: number) => missed.filter((item) => item.eventId > after).slice(0, limit),
    readUnits: () => [],
    readSourceTotals: () => ({ waiting: 0 }),
  }
  const commits = {
    async run<Value>(work: () => Value): Promise<Value> {
      const value = work()
      await Promise.resolve()
      whileCommitting()
      return value
    },
  }
  const context = {
    store,
    commits,
    facts: { user: 'ann' },
    clock: { now: () => noon },
    dispatcher: {
      slotsOf: () => ({ total: 4, busy: 0 }),
      waitOfQueue: () => null,
      isQueuePaused: () => false,
      isTypeFull: () => false,
    },
    storage: { healthy: true },
    jobTypes: { problemOf: () => null },
    supervisor: { silenceOf: () => null },
    throughput: { estimate: () => ({ seconds: 90, low_seconds: 60, high_seconds: 120, reason: null }) },
    isDraining: () => false,
  } as unknown as ServiceContext
  const queue = {
    end(state: FinalJob['state'], count = 1) {
      for (let each = 0; each < count; each += 1) {
        // Other events lie between the ends.
        newest += 3
        ended.push({ job: finalJob(state, { id: idOf(newest), name, startedAt: null }), eventId: newest - 1 })
      }
    },
    wait(count: number) {
      for (let each = 0; each < count; each += 1) unfinished.push(queuedJob({ id: idOf(100_000 + each), name }))
    },
    run(count: number) {
      for (let each = 0; each < count; each += 1) running.push(startedJob({ id: idOf(200_000 + each), name }))
    },
    hold(count: number) {
      for (let each = 0; each < count; each += 1)
        held.push(startedJob({ id: idOf(300_000 + each), name, heldAt: noon, holdKind: 'review' }))
    },
    miss(count = 1) {
      for (let each = 0; each < count; each += 1) {
        newest += 2
        const run = {
          scheduleId: 's',
          dueAt: noon + newest,
          outcome: 'missed',
          jobId: null,
          error: null,
          createdAt: noon,
        }
        missed.push({ run, scheduleName: 'nightly', eventId: newest - 1 } as ScheduleNews)
      }
    },
    duringCommits(effect: () => void) {
      whileCommitting = effect
    },
    async look(acknowledge?: string) {
      const answer = await whatsNew(context, acknowledge === undefined ? {} : { acknowledge })
      expect(Buffer.byteLength(JSON.stringify(answer))).toBeLessThanOrEqual(4_096)
      const lines = [...answer.finished, ...answer.failed, ...answer.cancelled]
      expect(answer.missed_runs.every((run) => run.schedule === 'nightly')).toBe(true)
      return { ...answer, lines, ids: lines.map((line) => line.id) }
    },
    idsOfEnded: () => ended.map((item) => item.job.id),
  }
  return queue
}

/** Acknowledges page after page until nothing that ended is left. */
async function readAll(queue: ReturnType<typeof createQueue>) {
  const pages = [await queue.look()]
  for (let page = pages[0]; page !== undefined && page.lines.length > 0; page = pages.at(-1)) {
    if (pages.length > 100) throw new Error('the pages do not end')
    pages.push(await queue.look(page.cursor))
  }
  return pages
}

test('what did not fit is shown after the acknowledgement: nothing is lost, nothing comes twice', async () => {
  const queue = createQueue()
  queue.end('failed', 40)
  queue.end('completed', 3)
  queue.end('cancelled', 2)
  const pages = await readAll(queue)
  const shown = pages.flatMap((page) => page.ids)
  expect(shown).toHaveLength(45)
  expect([...shown].sort()).toEqual(queue.idsOfEnded())
  expect(pages[0]).toMatchObject({ more: true, counts: { failed: 40, finished: 3, cancelled: 2 } })
  expect(pages[0]?.next).toContain(`{"acknowledge":"${pages[0]?.cursor}"}`)
  expect(pages.at(-1)).toMatchObject({ more: false, counts: { failed: 0, finished: 0, cancelled: 0 } })
})

test('only what was shown is shown before', async () => {
  const queue = createQueue()
  queue.end('failed', 40)
  const first = await queue.look()
  const again = await queue.look()
  expect(again.ids).toEqual(first.ids)
  expect(again.lines.every((line) => line.shown_before)).toBe(true)
  const second = await queue.look(first.cursor)
  expect(second.ids.length).toBeGreaterThan(0)
  expect(second.lines.some((line) => line.shown_before)).toBe(false)
})

test('what ends while the mark is being moved is shown and covered by the cursor', async () => {
  const queue = createQueue()
  queue.end('completed')
  const first = await queue.look()
  let left = 3
  queue.duringCommits(() => {
    left -= 1
    if (left >= 0) queue.end('completed')
  })
  const second = await queue.look(first.cursor)
  expect(second.ids).toHaveLength(1)
  queue.duringCommits(() => undefined)
  const third = await queue.look(second.cursor)
  expect(third.ids.filter((id) => second.ids.includes(id))).toEqual([])
  expect([...first.ids, ...second.ids, ...third.ids]).toEqual(queue.idsOfEnded())
})

test('unfinished jobs leave room for what ended, and are counted exactly', async () => {
  const queue = createQueue()
  queue.wait(150)
  queue.end('failed', 4)
  const answer = await queue.look()
  expect(answer.ids).toEqual(queue.idsOfEnded())
  expect(answer.counts.unfinished).toBe(150)
  expect(answer.unfinished.length).toBeGreaterThanOrEqual(3)
  expect(answer.more).toBe(true)
  expect((await queue.look(answer.cursor)).ids).toEqual([])
})

test('missed runs are told in their turn, each once it is acknowledged never again', async () => {
  const queue = createQueue()
  queue.miss(2)
  queue.end('failed', 30)
  queue.miss(60)
  queue.end('completed', 2)
  const seen: string[] = []
  const ids: string[] = []
  let answer = await queue.look()
  expect(answer.counts.missed_runs).toBe(62)
  expect((await queue.look()).missed_runs[0]).toMatchObject({ outcome: 'missed', shown_before: true })
  for (let page = 0; page < 20 && (answer.lines.length > 0 || answer.missed_runs.length > 0); page += 1) {
    seen.push(...answer.missed_runs.map((run) => run.due_at))
    ids.push(...answer.ids)
    answer = await queue.look(answer.cursor)
  }
  expect(seen).toHaveLength(62)
  expect(new Set(seen).size).toBe(62)
  expect([...ids].sort()).toEqual(queue.idsOfEnded())
  expect(answer.counts).toMatchObject({ missed_runs: 0, failed: 0, finished: 0 })
})

test('more news than are read at once: nothing between the two kinds is passed over', async () => {
  const queue = createQueue()
  queue.miss(1_200)
  queue.end('failed', 3)
  let answer = await queue.look()
  const seen: string[] = []
  const ids: string[] = []
  for (let page = 0; page < 200 && (answer.lines.length > 0 || answer.missed_runs.length > 0); page += 1) {
    seen.push(...answer.missed_runs.map((run) => run.due_at))
    ids.push(...answer.ids)
    answer = await queue.look(answer.cursor)
  }
  expect(new Set(seen).size).toBe(1_200)
  expect([...ids].sort()).toEqual(queue.idsOfEnded())
})

test('what waits for a person is shown however many jobs are newer, and what runs with its time left', async () => {
  const queue = createQueue()
  queue.hold(2)
  queue.run(1)
  queue.wait(150)
  const answer = await queue.look()
  expect(answer.needs_you.map((line) => line.state)).toEqual(['awaiting_approval', 'awaiting_approval'])
  expect(answer.unfinished[0]).toMatchObject({ state: 'running', eta_s: 90 })
  expect(answer.counts).toMatchObject({ needs_you: 2, unfinished: 151 })
})
