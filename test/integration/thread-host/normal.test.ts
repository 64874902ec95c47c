import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { handOver, hostJob, startHost } from '../../support/host-client.ts'
import { repositoryRoot } from '../../support/repository.ts'

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

test('the same device a thousand times is one message', async () => {
  const host = await startHost()
  const manager = await host.connect()
  const file = join(host.home, 'same.mjs')
  const api = join(repositoryRoot, 'dist', 'handler', 'index.js')
  writeFileSync(
    file,
    `import { defineHandler, z } from '${api}'
    export default defineHandler({ type: 'same', title: 'S', description: 'S', params: z.object({}), result: z.any(),
      async run({ reportDevice, cancellation }) {
        for (let at = 0; at < 1000; at += 1) {
          reportDevice('llvmpipe', 'software')
          if (at % 100 === 0) await cancellation.wait(1)
        }
        return null
      } })`,
  )
  const item = handOver(manager, hostJob('same.mjs', {}, { handler: { file } }))
  await manager.end(item.key, 'completed')
  const told = manager.messages.filter(({ kind }) => kind === 'device')
  expect(told).toEqual([{ kind: 'device', items: [{ key: item.key, device: { name: 'llvmpipe', kind: 'software' } }] }])
})
