import { expect, test } from 'vitest'
import { type EndedJob, playStory } from './run-example.ts'

interface Row {
  readonly key: string
  readonly state: string
  readonly attempts: number
}

interface Facts {
  readonly ended: EndedJob
  readonly stopped: EndedJob
  readonly requests: Readonly<Record<string, number>>
  readonly most: readonly number[]
  readonly rows: readonly Row[]
  readonly requestsOfDeadSite: number
}

test('a crawl finds every page once, politely, over a restart; one of a dead site stops by itself', async () => {
  const { facts, text } = await playStory<Facts>('8-crawl')
  const times = Object.entries(facts.requests)
  const pages = times.length

  expect(pages).toBeGreaterThan(15)
  expect(times.filter(([, count]) => count !== 1)).toEqual([['0/page-5', 3]])
  expect(facts.most).toEqual([1, 1])
  expect(facts.ended).toMatchObject({ state: 'completed_with_failures', counts: { total: pages, failed: 1 } })
  expect(new Set(facts.rows.map(({ key }) => key)).size).toBe(pages)
  expect(text('pages.jsonl').trim().split('\n')).toHaveLength(pages)
  expect(facts.stopped.state).toBe('failed')
  expect(facts.requestsOfDeadSite).toBeLessThan(20)
})
