import { expect, test } from 'vitest'
import { countOf, type EndedJob, playStory } from './run-example.ts'

interface Facts {
  readonly review: { readonly units_run: number; readonly cost: number; readonly rest_cost: number }
  readonly ended: EndedJob
  readonly rerun: EndedJob
}

test('500 documents, all processes killed in the middle: each is answered once, only the failed run again', async () => {
  const { facts, lines, text } = await playStory<Facts>('1-document-batch')
  const ledger = lines('service/ledger')
  const answers = countOf(ledger.filter(([what]) => what === 'done').map(([, name]) => name))
  const refusals = countOf(ledger.filter(([what]) => what === 'refused').map(([, name]) => name))

  expect(answers.size).toBe(500)
  expect([...answers.values()].every((times) => times === 1)).toBe(true)
  expect([...refusals]).toEqual(['111', '222', '333', '444'].map((number) => [`contract-${number}.txt`, 1]))
  expect(ledger.filter(([what]) => what === 'limited').length).toBeGreaterThan(0)
  expect(facts.review).toMatchObject({ units_run: 3, cost: 0.06, rest_cost: 9.94 })
  expect(facts.ended).toMatchObject({
    state: 'completed_with_failures',
    counts: { total: 500, completed: 496, failed: 4 },
  })
  expect(facts.rerun).toMatchObject({ state: 'completed', counts: { total: 4, completed: 4, failed: 0 } })
  expect(text('table.csv').trim().split('\n')).toHaveLength(501)
})
