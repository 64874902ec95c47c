import { describe, expect, test } from 'vitest'
import type { Filter } from '../../../src/app/job-groups.ts'
import {
  filterCounts,
  hasOlder,
  type JobPage,
  nothingKnown,
  shownJobs,
  vanished,
  withFates,
  withLook,
  withOlder,
} from '../../../src/app/known-jobs.ts'
import type { JobLine } from '../../../src/domain/wire/shared.ts'
import { jobLine } from './jobs.ts'

function page(jobs: readonly JobLine[], cursor: string | null = null): JobPage {
  return { jobs, has_more: cursor !== null, next_cursor: cursor }
}

const lines = (...numbers: readonly number[]): readonly JobLine[] => numbers.map((number) => jobLine(number))
const ids = (known: typeof nothingKnown, filter: Filter = 'all'): readonly string[] =>
  shownJobs(known, filter).map(({ id }) => id.replace('job-', ''))

describe('the list', () => {
  test('is newest first, whatever came when', () => {
    const known = withLook(nothingKnown, page(lines(2, 3, 1)), [], false)
    expect(ids(known)).toEqual(['3', '2', '1'])
  })

  test('takes every change of a job, and drops one that was deleted', () => {
    const before = withLook(nothingKnown, page([jobLine(2, { state: 'running' }), ...lines(1)]), [], false)
    const after = withLook(before, page([jobLine(2, { state: 'failed' })]), [], false)
    expect(shownJobs(after, 'all').map(({ id, state }) => `${id} ${state}`)).toEqual(['job-2 failed'])
  })

  test('shows unfinished jobs however old, and finished ones only as far as it was read', () => {
    const old = jobLine(1, { state: 'running' })
    let known = withLook(nothingKnown, page(lines(9, 8), 'c1'), [old], false)
    expect(ids(known)).toEqual(['9', '8', '1'])
    expect(hasOlder(known, 'all')).toBe(true)
    // The old one ends: it stays known, and appears in its place once the list reaches so far.
    known = withFates(known, [jobLine(1)], [])
    expect(ids(known)).toEqual(['9', '8'])
    known = withOlder(known, 'all', page(lines(7, 6, 1)))
    expect(ids(known)).toEqual(['9', '8', '7', '6', '1'])
    expect(hasOlder(known, 'all')).toBe(false)
  })

  test('of failures reaches further back than that of all', () => {
    const failed = (number: number) => jobLine(number, { state: 'failed' })
    let known = withLook(nothingKnown, page([jobLine(9), failed(8)], 'c1'), [], false)
    known = withOlder(known, 'failed', page([failed(8), failed(3)], 'c2'))
    expect(ids(known, 'failed')).toEqual(['8', '3'])
    expect(ids(known)).toEqual(['9', '8'])
    expect(known.reach.failed?.cursor).toBe('c2')
    expect(filterCounts(known)).toMatchObject({ all: '2+', failed: '2+', finished: '1+', running: '0' })
  })

  test('begins anew when so much happened that nothing joins', () => {
    let known = withLook(nothingKnown, page(lines(3, 2), 'c1'), [], false)
    known = withLook(known, page(lines(90, 89), 'c2'), [], false)
    expect(ids(known)).toEqual(['90', '89'])
    expect(known.reach.all?.since).toBe(jobLine(89).created_at)
  })

  test('keeps its end when new jobs push others off the newest page', () => {
    let known = withLook(nothingKnown, page(lines(3, 2), 'c1'), [], false)
    known = withLook(known, page(lines(4, 3), 'c2'), [], false)
    expect(ids(known)).toEqual(['4', '3', '2'])
    expect(known.reach.all?.since).toBe(jobLine(2).created_at)
  })

  test('knows which unfinished jobs are on no list any more', () => {
    const running = jobLine(1, { state: 'running' })
    const known = withLook(nothingKnown, page(lines(9, 8), 'c1'), [running], false)
    expect(vanished(known, [running, ...lines(9, 8)])).toEqual([])
    expect(vanished(known, lines(9, 8))).toEqual(['job-1'])
    expect(ids(withFates(known, [], ['job-1']))).toEqual(['9', '8'])
  })

  test('counts each group, and says where there are more', () => {
    const states = ['awaiting_approval', 'running', 'paused', 'queued', 'failed', 'cancelled'] as const
    const jobs = states.map((state, place) => jobLine(place, { state }))
    expect(filterCounts(withLook(nothingKnown, page(jobs), [], true))).toEqual({
      all: '6+',
      needs_you: '1+',
      running: '1+',
      waiting: '2+',
      failed: '1',
      finished: '1',
    })
  })
})
