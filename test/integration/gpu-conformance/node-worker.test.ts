import { expect, test } from 'vitest'
import { useTemporaryHome } from '../../support/temporary-home.ts'
import { startNodeWorker } from './support/node-worker.ts'
import { notOk, runSuite } from './support/running-worker.ts'

/** The suite waits for leases, time limits and checkpoints. */
const suiteMs = 170_000

test('the worker of this package keeps the protocol', { timeout: suiteMs }, async () => {
  const worker = await startNodeWorker(useTemporaryHome(), { slots: 2 })
  const { checks } = await runSuite(worker)
  expect(notOk(checks)).toEqual([])
  expect(checks.length).toBeGreaterThan(60)
})
