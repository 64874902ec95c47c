import { expect, test } from 'vitest'
import type { FinalJob, Job } from '../../../src/domain/job.ts'
import type { ServiceContext } from '../../../src/manager/services/service-context.ts'
import { whatsNew } from '../../../src/manager/services/whats-new.ts'
import { finalJob, noon, queuedJob } from '../../support/job-builder.ts'

const name = 'a name that is quite long, as the names of things in a real night of work tend to be, says somebody'

function createQueue() {
  const ended: { job: FinalJob; eventId: number }[] = []
  const unfinished: Job[] = []
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
    listJobs: (_filter: unknown, { limit }: { limit: number }) => unfinished.slice(0, limit),
    readStatistics: () => ({ jobs: { queued: unfinished.length, running: 0 } }),
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
    dispatcher: { slots: { total: 4, busy: 0 } },
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
    duringCommits(effect: () => void) {
      whileCommitting = effect
    },
    async look(acknowledge?: string) {
      const answer = await whatsNew(context, acknowledge === undefined ? {} : { acknowledge })
      expect(Buffer.byteLength(JSON.stringify(answer))).toBeLessThanOrEqual(4_096)
      const lines = [...answer.finished, ...answer.failed, ...answer.cancelled]
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
