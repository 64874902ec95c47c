import { describe, expect, test } from 'vitest'
import type { JobFilter, JobStore } from '../../src/domain/ports/job-store.ts'
import { implementations } from './support/implementations.ts'
import { claim, facts, jobIdOf, newJob, start, submit } from './support/jobs.ts'

function found(store: JobStore, filter: JobFilter, limit = 50): number[] {
  return store.listJobs(filter, { limit }).map((job) => Number(job.id.slice(-12)))
}

describe.each(implementations)('$name: listJobs', ({ open }) => {
  test('is newest first and pages by seq without gap or repeat', () => {
    const { store } = open()
    for (let number = 1; number <= 7; number += 1) submit(store, newJob(number))
    const seen: number[] = []
    let beforeSeq: number | undefined
    for (;;) {
      const page = store.listJobs({}, { limit: 3, ...(beforeSeq === undefined ? {} : { beforeSeq }) })
      seen.push(...page.map((job) => Number(job.id.slice(-12))))
      beforeSeq = page.at(-1)?.seq
      if (page.length < 3) break
      if (beforeSeq === undefined) break
      // A job that comes in meanwhile does not shift the pages.
      submit(store, newJob(100 + seen.length))
    }
    expect(seen).toEqual([7, 6, 5, 4, 3, 2, 1])
  })

  test('filters by state, several states included, and pages over them', () => {
    const { store } = open()
    for (let number = 1; number <= 6; number += 1) submit(store, newJob(number))
    claim(store, jobIdOf(2))
    store.completeUnitIfHeld(claim(store, jobIdOf(3)).fence, null, facts())
    store.requestCancel(jobIdOf(4), 'user', start)
    expect(found(store, { states: ['queued'] })).toEqual([6, 5, 1])
    expect(found(store, { states: ['queued', 'running'] })).toEqual([6, 5, 2, 1])
    expect(found(store, { states: ['cancelled', 'running', 'completed'] })).toEqual([4, 3, 2])
    expect(found(store, { states: ['queued', 'running'] }, 3)).toEqual([6, 5, 2])
    expect(found(store, { states: ['failed'] })).toEqual([])
    expect(found(store, { states: [] })).toEqual([])
    const [, second] = store.listJobs({ states: ['queued', 'running'] }, { limit: 2 })
    const rest = store.listJobs({ states: ['queued', 'running'] }, { limit: 5, beforeSeq: second?.seq ?? 0 })
    expect(rest.map((job) => job.id)).toEqual([jobIdOf(2), jobIdOf(1)])
  })

  test('filters by type, queue and time', () => {
    const { store } = open()
    submit(store, newJob(1, { type: 'render', queue: 'night', now: start }))
    submit(store, newJob(2, { type: 'render', now: start + 10 }))
    submit(store, newJob(3, { queue: 'night', now: start + 20 }))
    expect(found(store, { type: 'render' })).toEqual([2, 1])
    expect(found(store, { queue: 'night' })).toEqual([3, 1])
    expect(found(store, { type: 'render', queue: 'night' })).toEqual([1])
    expect(found(store, { type: 'render', states: ['running'] })).toEqual([])
    expect(found(store, { createdAfter: start })).toEqual([3, 2])
    expect(found(store, { createdBefore: start + 20 })).toEqual([2, 1])
    expect(found(store, { createdAfter: start, createdBefore: start + 20 })).toEqual([2])
  })

  test('filters by labels; all must match, exactly', () => {
    const { store } = open()
    submit(store, newJob(1, { labels: { project: 'kiln', tier: 'gold' } }))
    submit(store, newJob(2, { labels: { project: 'kiln' } }))
    submit(store, newJob(3, { labels: { project: 'kiln2', 'a "b"': "x'y" } }))
    expect(found(store, { labels: { project: 'kiln' } })).toEqual([2, 1])
    expect(found(store, { labels: { tier: 'gold', project: 'kiln' } })).toEqual([1])
    expect(found(store, { labels: { tier: 'gold', project: 'other' } })).toEqual([])
    expect(found(store, { labels: { 'a "b"': "x'y" } })).toEqual([3])
    expect(found(store, { labels: {} })).toEqual([3, 2, 1])
    expect(found(store, { labels: { project: 'kiln' }, states: ['queued'], text: 'job 2' })).toEqual([2])
  })

  test('finds words of name, type, labels and params as prefixes, all of them', () => {
    const { store } = open()
    submit(
      store,
      newJob(1, { name: 'Nightly Render', params: { argv: ['/usr/bin/ffmpeg', '-i', 'Müller.mov'], fps: 25 } }),
    )
    submit(store, newJob(2, { name: 'render thumbnails', type: 'thumbnails', labels: { customer: 'Müller' } }))
    submit(store, newJob(3, { name: 'backup' }))
    expect(found(store, { text: 'render' })).toEqual([2, 1])
    expect(found(store, { text: 'REND' })).toEqual([2, 1])
    expect(found(store, { text: 'ender' })).toEqual([])
    expect(found(store, { text: 'render night' })).toEqual([1])
    expect(found(store, { text: 'muller' })).toEqual([2, 1])
    expect(found(store, { text: 'customer' })).toEqual([2])
    expect(found(store, { text: 'thumbnails' })).toEqual([2])
    expect(found(store, { text: 'ffmpeg 25' })).toEqual([1])
    expect(found(store, { text: 'ffmpeg backup' })).toEqual([])
    expect(found(store, { text: 'render', queue: 'other' })).toEqual([])
    expect(found(store, { text: 'render' }, 1)).toEqual([2])
  })

  test('pages over text matches', () => {
    const { store } = open()
    for (let number = 1; number <= 5; number += 1)
      submit(store, newJob(number, { name: number === 3 ? 'other' : 'kiln' }))
    const [, second] = store.listJobs({ text: 'kiln' }, { limit: 2 })
    const rest = store.listJobs({ text: 'kiln' }, { limit: 5, beforeSeq: second?.seq ?? 0 })
    expect(rest.map((job) => job.id)).toEqual([jobIdOf(2), jobIdOf(1)])
  })

  test.each([
    ['"', []],
    ['*', []],
    ['🔥', []],
    ['   ', []],
    ['AND', [2]],
    ['kiln AND', [2]],
    ['kiln OR nothing', []],
    ['NEAR(kiln nothing)', []],
    ['NOT kiln', []],
    ['words : kiln', [1]],
    ['^kiln', [2, 1]],
    ['kiln*', [2, 1]],
    ['"kiln', [2, 1]],
    ['-kiln', [2, 1]],
    ['kiln-words', [1]],
    ["'; DROP TABLE job; --", []],
    ['kiln\u0000words', [1]],
    ['東京', [1]],
    ['東', [1]],
    ['Ünï', [1]],
    ['हिन्दी', [1]],
    ['🔥 kiln 🔥', [2, 1]],
    [`${'x'.repeat(80)}`, [2]],
    [`${'x'.repeat(150)}`, [2]],
  ])('text %j is words, never syntax', (text, expected) => {
    const { store } = open()
    submit(store, newJob(1, { name: 'kiln words 東京タワー ünïcode हिन्दी' }))
    submit(store, newJob(2, { name: `kiln and ${'x'.repeat(100)}` }))
    submit(store, newJob(3, { name: 'something else' }))
    expect(found(store, { text })).toEqual(expected)
  })
})
