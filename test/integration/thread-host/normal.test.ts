import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { handOver, hostJob, startHost } from '../../support/host-client.ts'

test('runs an attempt with progress, checkpoints, a log, output and an artifact', async () => {
  const host = await startHost()
  const manager = await host.connect()
  const item = handOver(manager, hostJob('normal.mjs', { name: 'you' }), { unit: { n: 7 } })
  const end = await manager.end(item.key, 'completed')
  expect(end.result).toEqual({ text: 'hello you 7', seed: expect.any(Number), from: 0 })
  expect(manager.progress(item.key).at(-1)).toEqual({ current: 3, total: 3, message: 'step 3', stage: null })
  expect(JSON.parse(readFileSync(join(host.attemptDirectory(item), 'checkpoint.json'), 'utf8'))).toEqual({ at: 3 })
  expect(host.output(item)).toBe('info: begins {"from":0}\nfrom the console\nfrom stderr\n')
  expect(end.output).toEqual({ bytes: 53, droppedBytes: 0, tail: host.output(item) })
  // Nothing was reported: no message tells of a device.
  expect(manager.messages.map(({ kind }) => kind)).toEqual(['welcome'])
  const sha256 = createHash('sha256').update('hello you').digest('hex')
  expect(end.artifacts).toEqual([{ name: 'hello.txt', mediaType: 'text/plain', bytes: 9, sha256 }])
  expect(readFileSync(join(host.attemptDirectory(item), 'artifacts', 'hello.txt'), 'utf8')).toBe('hello you')
})
