import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { handOver, hostJob, startHost } from '../../support/host-client.ts'

interface Told {
  readonly kept: readonly { readonly name: string; readonly path: string }[]
  readonly madeIsLeft: boolean
  readonly refused: readonly string[]
  readonly half: string
}

test('files are kept whole, under checked names, with their facts', async () => {
  const host = await startHost()
  const manager = await host.connect()
  const item = handOver(manager, hostJob('artifacts.mjs'))
  const end = await manager.end(item.key, 'completed')
  const told = end.result as unknown as Told
  const directory = join(host.attemptDirectory(item), 'artifacts')
  const expected = [
    ['a.txt', 'text/plain', Buffer.from('grüße')],
    ['b.bin', 'application/octet-stream', Buffer.from([0, 255])],
    ['c.log', 'text/x-log', Buffer.from('one\ntwo\n')],
    ['d', 'application/octet-stream', Buffer.from('moved')],
    ['late.txt', 'text/plain', Buffer.from('late')],
  ] as const
  expect(end.artifacts).toEqual(
    expected.map(([name, mediaType, bytes]) => ({
      name,
      mediaType,
      bytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
    })),
  )
  for (const [name, , bytes] of expected) expect(readFileSync(join(directory, name))).toEqual(bytes)
  expect(readdirSync(directory).sort()).toEqual(expected.map(([name]) => name))
  expect(readdirSync(host.attemptDirectory(item)).filter((name) => name.endsWith('.tmp'))).toEqual([])
  expect(statSync(directory).mode & 0o777).toBe(0o700)

  expect(told.kept.map((one) => one.path)).toEqual(
    ['a.txt', 'b.bin', 'c.log', 'd'].map((name) => join(directory, name)),
  )
  expect(told.madeIsLeft).toBe(false)
  expect(told.half).toBe('the stream broke')
  expect(told.refused).toHaveLength(8)
  for (const text of told.refused) expect(text).toMatch(/^TypeError: /)
})
