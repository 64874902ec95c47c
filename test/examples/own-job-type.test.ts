import { expect, test } from 'vitest'
import { type EndedJob, playStory } from './run-example.ts'

interface Facts {
  readonly type: { readonly unit_schema: unknown }
  readonly batch: EndedJob
  readonly tale: EndedJob & { readonly result: { readonly bytes: number }; readonly log: string }
}

test('a handler is dropped in, refuses what it must, and goes on after a crash', async () => {
  const { facts } = await playStory<Facts>('9-own-job-type')
  expect(facts.type.unit_schema).toMatchObject({ properties: { path: { type: 'string' } } })
  expect(facts.batch).toMatchObject({
    state: 'completed_with_failures',
    counts: { total: 9, completed: 8, failed: 1 },
  })
  const from = Number(/"position":(\d+)/.exec(facts.tale.log)?.[1])
  expect(from).toBeGreaterThan(0)
  expect(from).toBeLessThan(facts.tale.result.bytes)
})
