import { expect, test } from 'vitest'
import { countOf, type EndedJob, playStory } from './run-example.ts'

interface Facts {
  readonly soak: EndedJob
  readonly rerun: EndedJob
  readonly failures: {
    readonly failure_groups: readonly { readonly count: number; readonly units: readonly number[] }[]
  }
}

const failingSeeds = ['17', '40', '63', '86', '109']

test('a soak stops after five failures, groups them, and runs just their seeds again', async () => {
  const { facts, lines } = await playStory<Facts>('3-flaky-tests')
  const ran = lines('ledger')
  const plain = countOf(ran.filter(([, , mode]) => mode === 'plain').map(([, seed]) => seed))
  const debugged = ran.filter(([, , mode]) => mode === '--debug').map(([, seed]) => seed)

  expect([...plain.values()].every((times) => times === 1)).toBe(true)
  expect(failingSeeds.every((seed) => plain.has(seed))).toBe(true)
  expect(plain.size).toBeLessThan(130)
  expect(facts.soak).toMatchObject({ state: 'failed', counts: { total: 200, failed: 5 } })
  expect(facts.soak.counts.completed + facts.soak.counts.cancelled).toBe(195)
  expect(facts.failures.failure_groups.map(({ count, units }) => [count, units])).toEqual([
    [4, [16, 39, 85, 108]],
    [1, [62]],
  ])
  expect(debugged.sort((left, right) => Number(left) - Number(right))).toEqual(failingSeeds)
  expect(facts.rerun).toMatchObject({ state: 'completed_with_failures', counts: { total: 5, failed: 5 } })
})
