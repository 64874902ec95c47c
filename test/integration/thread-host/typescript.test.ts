import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { handOver, hostJob, startHost } from '../../support/host-client.ts'
import { allPids, readStat } from '../../support/proc.ts'

test('a handler in TypeScript runs in fresh threads, and leaves no compiler behind for each', async () => {
  const host = await startHost({ threads: 1 })
  const manager = await host.connect()
  const job = hostJob('typed.ts')
  const compilers = () => allPids().filter((pid) => readStat(pid)?.parent === host.pid).length
  const times: number[] = []
  const runs = async (count: number) => {
    for (let n = 0; n < count; n++) {
      const begun = performance.now()
      const item = handOver(manager, job, { unit: { n } })
      expect((await manager.end(item.key, 'completed')).result).toEqual({ n: 2 * n })
      times.push(Math.round(performance.now() - begun))
    }
  }
  // The first threads may need some, before their work is in the cache.
  await runs(3)
  const needed = compilers()
  await runs(4)
  process.stdout.write(`TypeScript, cold and with a thread ready: ${times.join(', ')} ms\n`)
  expect(compilers() - needed).toBeLessThan(4)
})

test('an error names the line of the TypeScript file', async () => {
  const host = await startHost()
  const manager = await host.connect()
  const job = hostJob('typed.ts', { fail: true })
  const { error } = await manager.end(handOver(manager, job, { unit: { n: 1 } }).key, 'failed')
  const lines = readFileSync(job.handler.file, 'utf8').split('\n')
  const line = lines.findIndex((one) => one.includes("new RangeError('too typed')")) + 1
  expect(error).toMatchObject({ code: 'handler_failed', message: 'too typed', details: { name: 'RangeError' } })
  expect(error.details?.['at']).toMatch(new RegExp(`typed\\.ts:${line}:`))
})
