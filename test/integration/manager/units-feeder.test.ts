import { existsSync, mkdirSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Json } from '../../../src/domain/job.ts'
import type { NewSource } from '../../../src/domain/ports/source-store.ts'
import { jobOptions } from '../../support/job-options.ts'
import { waitUntil } from '../../support/wait-until.ts'
import { openUnits } from './units-under-test.ts'

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index)
const list = (items: Json[]): NewSource => ({ kind: 'list', items, total: items.length })

function spoolOf(home: string, items: readonly Json[]): NewSource & { kind: 'spool' } {
  mkdirSync(join(home, 'sources'), { recursive: true })
  writeFileSync(join(home, 'sources/a.jsonl'), items.map((item) => `${JSON.stringify(item)}\n`).join(''))
  return { kind: 'spool', file: 'sources/a.jsonl', total: items.length }
}

describe('the feeder', () => {
  test.each<[string, (home: string) => NewSource, Json[]]>([
    ['a list', () => list(numbers(3_000)), numbers(3_000)],
    ['a range', () => ({ kind: 'range', from: 0, step: 0.5, total: 2_001 }), numbers(2_001).map((index) => index / 2)],
    ['a spool', (home) => spoolOf(home, numbers(3_000)), numbers(3_000)],
  ])('adds every unit of %s once and in order, and seals the job', async (_, make, expected) => {
    const { home, submit, feeder, sealed, inputs, jobNow } = openUnits()
    const { id } = submit(make(home))
    expect(jobNow(id).sealedAt).toBeNull()
    feeder().start()
    await sealed(id)
    expect(inputs(id)).toEqual(expected)
    expect(jobNow(id).counts.total).toBe(expected.length)
    await waitUntil(() => !existsSync(join(home, 'sources/a.jsonl')), { what: 'the end of the spool file' })
  })

  test('takes units of any size out of a spool', async () => {
    const units = [...numbers(50).map((index) => 'ü'.repeat(index * 997)), 'x'.repeat(1024 * 1024 - 3), { last: '😀' }]
    const { home, submit, feeder, sealed, inputs } = openUnits()
    const { id } = submit(spoolOf(home, units))
    feeder().start()
    await sealed(id)
    expect(inputs(id)).toEqual(units)
  })

  test.each(['list', 'spool'])('goes on where a stopped one was, over five restarts (%s)', async (kind) => {
    const all = numbers(5_000)
    const { home, submit, feeder, sealed, inputs, jobNow, commits } = openUnits()
    const { id } = submit(kind === 'list' ? list(all) : spoolOf(home, all))
    for (let restart = 1; restart <= 5; restart += 1) {
      const before = jobNow(id).counts.total
      const one = feeder()
      one.start()
      await waitUntil(() => jobNow(id).counts.total > before, { intervalMs: 0 })
      await one.stop()
      await commits.run(() => undefined)
    }
    expect(jobNow(id).counts.total).toBeLessThan(all.length)
    feeder().start()
    await sealed(id)
    expect(inputs(id)).toEqual(all)
  })

  test('adds units of the same key once, over all sources of a job', async () => {
    const { submit, feeder, sealed, inputs, store, clock } = openUnits()
    const options = { ...jobOptions, unitKey: '{{unit.url}}', limitKey: '{{unit.host}}' }
    const page = (number: number) => ({ url: `u${number}`, host: `h${number % 3}` })
    const { id } = submit(list([1, 2, 1, 3].map(page)), { options, keepOpen: true })
    store.appendSource(id, list([3, 4, 2].map(page)), clock.now())
    feeder().start()
    await waitUntil(() => store.readSourceTotals(id).waiting === 0)
    store.updateJob(id, { close: true }, clock.now())
    await sealed(id)
    expect(inputs(id)).toEqual([1, 2, 3, 4].map(page))
    expect(store.readSourceTotals(id).skipped).toBe(3)
    expect(store.readUnits(id, { limit: 9 }).map((unit) => unit.limitKey)).toEqual(['h1', 'h2', 'h0', 'h1'])
  })

  test('adds a unit without key when it lacks the field', async () => {
    const { submit, feeder, sealed, store } = openUnits()
    const { id } = submit(list([{ url: 'a' }, { uri: 'b' }, { uri: 'b' }]), {
      options: { ...jobOptions, unitKey: '{{unit.url}}' },
    })
    feeder().start()
    await sealed(id)
    expect(store.readUnits(id, { limit: 9 }).map((unit) => unit.key)).toEqual(['a', null, null])
  })

  test('adds the test units and no more before they are approved', async () => {
    const { submit, feeder, sealed, inputs, jobNow, store, clock } = openUnits()
    const options = { ...jobOptions, unitKey: '{{unit}}' }
    const { id } = submit(list([0, 0, 0, ...numbers(600)]), { testUnits: 3, options })
    const other = submit(list(numbers(10)))
    const one = feeder()
    one.start()
    await sealed(other.id)
    await waitUntil(() => jobNow(id).counts.total === 3)
    one.wake()
    const later = submit(list(numbers(400)))
    one.wake()
    await sealed(later.id)
    expect(inputs(id)).toEqual([0, 1, 2])
    for (const unit of store.readUnits(id, { limit: 3 })) expect(unit.state).toBe('available')
    expect(jobNow(id).sealedAt).toBeNull()
    expect(store.readSourceTotals(id).waiting).toBe(597)
    store.requestCancel(id, 'user', clock.now())
  })

  test('lets a small source pass while a large one is fed', async () => {
    const { submit, feeder, sealed, jobNow } = openUnits()
    const large = submit({ kind: 'range', from: 0, step: 1, total: 200_000 })
    const one = feeder()
    one.start()
    await waitUntil(() => jobNow(large.id).counts.total > 0, { intervalMs: 0 })
    const small = submit(list(numbers(500)))
    one.wake()
    await sealed(small.id)
    expect(jobNow(large.id).sealedAt).toBeNull()
    await one.stop()
  })

  test('stops when the job is cancelled, and removes the file', async () => {
    const { home, submit, feeder, jobNow, store, clock } = openUnits()
    const { id } = submit(spoolOf(home, numbers(100_000)))
    const one = feeder()
    one.start()
    await waitUntil(() => jobNow(id).counts.total > 0, { intervalMs: 0 })
    store.requestCancel(id, 'user', clock.now())
    expect(jobNow(id).state).toBe('cancelled')
    const { total } = jobNow(id).counts
    // The rest is kept for a rerun.
    await one.stop()
    expect(existsSync(join(home, 'sources/a.jsonl'))).toBe(true)
    expect(store.readSpoolFiles()).toEqual(['sources/a.jsonl'])
    expect(jobNow(id).counts.total).toBe(total)
  })

  test.each<[string, (file: string) => void]>([
    ['missing', (file) => unlinkSync(file)],
    ['cut within a line', (file) => truncateSync(file, 101)],
    ['cut at the end of a line', (file) => truncateSync(file, 10 * 3)],
    ['overwritten', (file) => writeFileSync(file, 'no JSON\n')],
    ['empty', (file) => truncateSync(file, 0)],
  ])('ends a job whose spool is %s, and says why', async (_, damage) => {
    const { home, submit, feeder, jobNow } = openUnits()
    const { id } = submit(
      spoolOf(
        home,
        numbers(2_000).map((index) => index % 10),
      ),
    )
    damage(join(home, 'sources/a.jsonl'))
    feeder().start()
    const job = await waitUntil(() => (jobNow(id).finishedAt === null ? null : jobNow(id)))
    expect(job).toMatchObject({ state: 'failed', cancelReason: 'source', error: { code: 'storage_refused' } })
  })

  test('adds 10,000 units soon, and never holds other work up for long', async () => {
    const { submit, feeder, sealed, commits } = openUnits()
    const { id } = submit({ kind: 'range', from: 0, step: 1, total: 10_000 })
    const one = feeder()
    const began = performance.now()
    let longest = 0
    let done = false
    const others = (async () => {
      while (!done) {
        const asked = performance.now()
        await commits.run(() => undefined)
        longest = Math.max(longest, performance.now() - asked)
        await new Promise((resolve) => setTimeout(resolve, 1))
      }
    })()
    one.start()
    await sealed(id)
    const took = performance.now() - began
    done = true
    await others
    process.stdout.write(
      `10,000 units in ${took.toFixed(0)} ms; longest wait of another call ${longest.toFixed(0)} ms\n`,
    )
    // Bounds for a loaded machine; the figures of a free one stand in docs/performance.md.
    expect(took).toBeLessThan(5_000)
    expect(longest).toBeLessThan(250)
  })
})
