import { expect, test } from 'vitest'
import { hostItem, hostJob, startHost } from '../../support/host-client.ts'
import { waitUntil } from '../../support/wait-until.ts'

test.each([1, 2])('runs 2,000 units of a reusable handler, each once and in order, in %i threads', async (threads) => {
  const host = await startHost({ threads })
  const manager = await host.connect()
  const job = hostJob('no-op.mjs', {}, { handler: { reusable: true } })
  const count = 20000
  for (let round = 0; round < 3; round++) {
    const items = Array.from({ length: count }, (_, n) => hostItem({ unit: { n }, position: n }))
    const begun = performance.now()
    manager.send({ kind: 'job', job })
    for (let at = 0; at < count; at += 500) manager.send({ kind: 'run', job_key: job.job_key, items: items.slice(at, at + 500) })
    await waitUntil(() => manager.endCount === count * (round + 1), { timeoutMs: 20_000, intervalMs: 2, what: 'all ends' })
    const ms = performance.now() - begun
    process.stdout.write(`${threads} threads: ${Math.round((count / ms) * 1000)} units/s\n`)
    for (const [n, item] of items.entries()) {
      expect(manager.ends(item.key)).toHaveLength(1)
      expect(manager.ends(item.key)[0]).toMatchObject({ kind: 'completed', result: { n } })
    }
  }
})
