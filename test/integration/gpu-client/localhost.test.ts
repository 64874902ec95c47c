import { expect, test, vi } from 'vitest'
import { clientOf, faultOf, put } from './client-under-test.ts'
import { serveWorker } from './worker-server.ts'

const found = vi.hoisted(() => ({ addresses: [] as { address: string; family: number }[] }))
vi.mock('node:dns', async (original) => ({
  ...(await original<typeof import('node:dns')>()),
  lookup: (_name: string, _options: unknown, callback: (error: null, found: unknown) => void) =>
    callback(null, found.addresses),
}))

test('a localhost that leads to another machine gets nothing', async () => {
  const worker = await serveWorker()
  found.addresses = [{ address: '192.0.2.1', family: 4 }]
  const client = clientOf(`http://localhost:${worker.port}`, { key: 'canary-key-5f1c9b2e' })
  expect(await faultOf(client.put(put))).toMatchObject({ kind: 'not_sent', code: 'NOT_LOOPBACK' })
  found.addresses = [
    { address: '192.0.2.1', family: 4 },
    { address: '127.0.0.1', family: 4 },
  ]
  expect(await client.health()).toMatchObject({ boot_id: 'boot-1' })
})
