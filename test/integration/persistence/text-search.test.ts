import { expect, test } from 'vitest'
import type { JobStore } from '../../../src/domain/ports/job-store.ts'
import { openSqlite } from '../../conformance/support/implementations.ts'
import { claim, facts, jobIdOf, newJob, start, submit } from '../../conformance/support/jobs.ts'

/** More jobs than are read before the index is asked. */
const fillers = 230

function bury(store: JobStore, name = 'filler of the index'): void {
  store.atomically(() => {
    for (let number = 1; number <= fillers; number += 1) {
      submit(store, newJob(10_000 + number, { name, idempotencyKey: `${name} ${number}` }))
    }
  })
}

function found(store: JobStore, text: string, limit = 50, beforeSeq?: number): number[] {
  const page = { limit, ...(beforeSeq === undefined ? {} : { beforeSeq }) }
  return store.listJobs({ text }, page).map((job) => Number(job.id.slice(-12)))
}

const searches = [
  ['"', []],
  ['AND', [2]],
  ['kiln AND', [2]],
  ['kiln OR nothing', []],
  ['NEAR(kiln nothing)', []],
  ['NOT kiln', []],
  ['words : kiln', [1]],
  ['^kiln', [2, 1]],
  ['"kiln', [2, 1]],
  ["'; DROP TABLE job; --", []],
  ['kiln\u0000words', [1]],
  ['東', [1]],
  ['Ünï', [1]],
  [`${'x'.repeat(150)}`, [2]],
] as const

test('the index takes anything as words, never as syntax', () => {
  const { store } = openSqlite()
  submit(store, newJob(1, { name: 'kiln words 東京タワー ünïcode हिन्दी' }))
  submit(store, newJob(2, { name: `kiln and ${'x'.repeat(100)}` }))
  bury(store)
  for (const [text, expected] of searches) expect(found(store, text), JSON.stringify(text)).toEqual(expected)
})

test('words that nearly every job has are compared in the rows, and find the same', () => {
  const { store } = openSqlite()
  submit(store, newJob(1, { name: 'filler rare' }))
  submit(store, newJob(2, { name: 'rare alone' }))
  submit(store, newJob(3, { name: 'rarely a filling', params: { argv: ['index'] } }))
  bury(store)
  expect(found(store, 'filler rare')).toEqual([1])
  expect(found(store, 'fill rare index')).toEqual([3])
  expect(found(store, 'rare')).toEqual([3, 2, 1])
  expect(found(store, 'filler', 3)).toEqual([10_230, 10_229, 10_228])
})

test('pages go from the rows that were read into the index without gap or repeat', () => {
  const { store } = openSqlite()
  for (let number = 1; number <= 8; number += 1) submit(store, newJob(number, { name: 'kiln' }))
  bury(store)
  for (let number = 21; number <= 24; number += 1) submit(store, newJob(number, { name: 'kiln' }))
  const seen: number[] = []
  let beforeSeq: number | undefined
  for (;;) {
    const page = store.listJobs({ text: 'kiln' }, { limit: 5, ...(beforeSeq === undefined ? {} : { beforeSeq }) })
    seen.push(...page.map((job) => Number(job.id.slice(-12))))
    beforeSeq = page.at(-1)?.seq
    if (page.length < 5) break
  }
  expect(seen).toEqual([24, 23, 22, 21, 8, 7, 6, 5, 4, 3, 2, 1])
})

test('what ended with an error, was deleted or was undone is found as it is', () => {
  const { store } = openSqlite()
  submit(store, newJob(1, { name: 'kiln' }))
  submit(store, newJob(2, { name: 'vanished' }))
  store.atomically(() => {
    expect(() =>
      store.atomically(() => {
        submit(store, newJob(3, { name: 'undone' }))
        throw new Error('back')
      }),
    ).toThrow('back')
    submit(store, newJob(4, { name: 'kept' }))
  })
  const error = { code: 'command_failed', message: 'unusual trouble', remedy: '' } as const
  store.failUnitIfHeld(claim(store, jobIdOf(1)).fence, 'failed', null, null, facts({ error }))
  store.requestCancel(jobIdOf(2), 'user', start)
  store.deleteJobSlice(jobIdOf(2), 10)
  bury(store)
  expect(found(store, 'troub')).toEqual([1])
  expect(found(store, 'vanished')).toEqual([])
  expect(found(store, 'undone')).toEqual([])
  expect(found(store, 'kept')).toEqual([4])
})
