import { expect, test } from 'vitest'
import { countOf, type EndedJob, playStory } from './run-example.ts'

interface Trial {
  readonly loss: number
  readonly rate: number
  readonly depth: number
  readonly offset: number
}

interface Facts {
  readonly sweep: EndedJob
  readonly check: EndedJob
  readonly trials: readonly Trial[]
}

test('a sweep gives way, narrows and widens while it runs; every set is tried once', async () => {
  const { facts, lines } = await playStory<Facts>('5-sweep')
  const ends = countOf(lines('ledger').flatMap(([what, job, index]) => (what === 'end' ? [`${job} ${index}`] : [])))

  expect(ends.size).toBe(30)
  expect([...ends.values()].every((times) => times === 1)).toBe(true)
  expect(facts.sweep).toMatchObject({ state: 'completed', counts: { total: 24, completed: 24 } })
  expect(facts.check).toMatchObject({ state: 'completed', counts: { total: 6, completed: 6 } })
  expect(facts.trials).toHaveLength(24)
  expect(facts.trials[0]).toEqual({ loss: 0.1, rate: 0.01, depth: 6, offset: 0 })
})
