import { expect, test } from 'vitest'
import { countOf, type EndedJob, playStory } from './run-example.ts'

interface Facts {
  readonly blocked: { readonly state: string; readonly why: string }
  readonly sampled: EndedJob
  readonly cancelled: EndedJob
  readonly judged: { readonly r_hat: number; readonly acceptance: number; readonly warning: string | null }
  readonly rejudged: { readonly acceptance: number }
}

test('chains take the result of the fit that they wait for, and are cancelled with the reason when it fails', async () => {
  const { facts, lines } = await playStory<Facts>('6-fit-then-sample')
  const ledger = lines('ledger')
  const chains = countOf(ledger.flatMap(([what, job]) => (what === 'chain' ? [job] : [])))

  expect(ledger.filter(([what]) => what === 'fit')).toHaveLength(2)
  // The first job and its re-run; the chains of the fit that failed never ran.
  expect([...chains.values()]).toEqual([4, 4])
  expect(new Set(ledger.flatMap(([what, , , slope]) => (what === 'chain' ? [slope] : []))).size).toBe(1)
  expect(facts.blocked).toMatchObject({ state: 'blocked', why: 'waits for 1 of 1 job it depends on' })
  expect(facts.sampled).toMatchObject({ state: 'completed', counts: { total: 4, completed: 4 } })
  expect(facts.cancelled).toMatchObject({ state: 'cancelled', counts: { total: 4, cancelled: 4 } })
  expect(facts.cancelled.why).toContain('depends on')
  expect(facts.judged.r_hat).toBeLessThan(1.05)
  expect(facts.judged.warning).toBeNull()
  expect(facts.rejudged.acceptance).toBeLessThan(facts.judged.acceptance)
})
