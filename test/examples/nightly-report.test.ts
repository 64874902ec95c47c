import { expect, test } from 'vitest'
import { playStory } from './run-example.ts'

interface Run {
  readonly due_at: string
  readonly outcome: string
  readonly job_id: string | null
}

interface Facts {
  readonly runs: readonly Run[]
  readonly news: { readonly missed_runs: readonly Run[]; readonly counts: { readonly finished: number } }
}

test('of three nights that were slept through one run catches up; the others are recorded and told', async () => {
  const { facts, lines } = await playStory<Facts>('7-nightly-report')
  const outcomes = facts.runs.map(({ due_at, outcome }) => [due_at, outcome])

  expect(outcomes).toEqual([
    ['2031-05-04T04:00:00.000Z', 'submitted'],
    ['2031-05-05T04:00:00.000Z', 'missed'],
    ['2031-05-06T04:00:00.000Z', 'missed'],
    ['2031-05-07T04:00:00.000Z', 'submitted'],
    ['2031-05-08T04:00:00.000Z', 'submitted'],
  ])
  expect(lines('reports/ledger').map(([, id]) => id)).toEqual(facts.runs.flatMap(({ job_id }) => job_id ?? []))
  expect(facts.news.counts.finished).toBe(1)
  expect(facts.news.missed_runs.map(({ due_at }) => due_at.slice(8, 10))).toEqual(['05', '06'])
})
