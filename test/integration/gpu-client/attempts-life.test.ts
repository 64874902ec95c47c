import { expect, test } from 'vitest'
import { canaryKey, useAttempts } from '../../support/bad-worker/attempt-harness.ts'
import { useWorker } from '../../support/bad-worker/use-worker.ts'

test('an attempt is offered, sent once, followed and brought home', async () => {
  const { worker, attempts } = await useWorker()
  const end = await attempts.start().ended
  expect(end).toMatchObject({ kind: 'completed', result: { sum: 42 }, artifacts: [] })
  expect(worker.runs).toHaveLength(1)
  expect(attempts.told.devices).toEqual([{ name: 'Stand-in 1000', kind: 'gpu' }])
  expect(attempts.told.progress.at(-1)).toMatchObject({ current: 3, total: 3 })
  expect(attempts.told.held).toBe(0)
  expect(attempts.everything()).not.toContain(canaryKey)
})
