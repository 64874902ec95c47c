import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { handOver, hostJob, startHost } from '../../support/host-client.ts'

const misbehave = (how: string) => hostJob('misbehave.mjs', { how }, { handler: { heap_megabytes: 1_024 } })

test.each([
  ['cyclic', 'result is nested more than 100 levels deep, or holds itself'],
  ['bigint', 'result.items[2].n is a BigInt'],
  ['nan', 'result.mean is NaN, which JSON does not have'],
  ['undefined', 'run returned nothing (undefined)'],
  ['map', 'result.seen is a Map'],
  ['huge', 'result has 101 MiB as JSON, and may have 64 MiB at most: keep it as an artifact'],
])('a result that is %s is refused with the reason', async (how, message) => {
  const host = await startHost()
  const manager = await host.connect()
  const item = handOver(manager, misbehave(how))
  const end = await manager.end(item.key, 'failed')
  expect(end.error).toMatchObject({ code: 'result_invalid', message })
  expect(end.retry).toBe('never')
})

test('a result that does not fit its own schema is refused with the path', async () => {
  const host = await startHost()
  const manager = await host.connect()
  const item = handOver(manager, hostJob('checked.mjs', { count: 1, name: 'odd' }))
  const { error } = await manager.end(item.key, 'failed')
  expect(error.code).toBe('result_invalid')
  expect(error.message).toContain('result.even')
})

test('a large result becomes an artifact', async () => {
  const host = await startHost()
  const manager = await host.connect()
  const item = handOver(manager, misbehave('large'))
  const end = await manager.end(item.key, 'completed')
  expect(end.result).toEqual({ artifact: 'result.json', bytes: 400_002 })
  expect(end.artifacts).toMatchObject([{ name: 'result.json', mediaType: 'application/json', bytes: 400_002 }])
  const text = readFileSync(join(host.attemptDirectory(item), 'artifacts', 'result.json'), 'utf8')
  expect(JSON.parse(text)).toBe('x'.repeat(400_000))
})
