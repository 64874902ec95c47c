import type { JSONRPCMessage } from '@modelcontextprotocol/server'
import { describe, expect, test } from 'vitest'
import { createSessionEvents } from '../../../src/server/http/session-events.ts'

const message = (id: number, text = ''): JSONRPCMessage => ({ jsonrpc: '2.0', id, result: { text } })

async function replayed(events: ReturnType<typeof createSessionEvents>, after: string) {
  const sent: (readonly [string, JSONRPCMessage])[] = []
  const stream = await events.replayEventsAfter(after, { send: async (id, one) => void sent.push([id, one]) })
  return { stream, sent }
}

describe('events of a session', () => {
  test('come again from the one that was seen last, of its stream alone', async () => {
    const events = createSessionEvents()
    const first = await events.storeEvent('a', message(1))
    await events.storeEvent('b', message(2))
    const third = await events.storeEvent('a', message(3))
    expect(await events.getStreamIdForEventId?.(first)).toBe('a')
    expect(await replayed(events, first)).toEqual({ stream: 'a', sent: [[third, message(3)]] })
    expect((await replayed(events, third)).sent).toEqual([])
  })

  test('are the newest hundred', async () => {
    const events = createSessionEvents()
    const ids: string[] = []
    for (let count = 1; count <= 150; count += 1) ids.push(await events.storeEvent('a', message(count)))
    expect((await replayed(events, ids[50] ?? '')).sent).toHaveLength(99)
    await expect(replayed(events, ids[49] ?? '')).rejects.toThrow('no longer kept')
  })

  test('are few when they are large, and the newest one whatever its size', async () => {
    const events = createSessionEvents()
    const small = await events.storeEvent('a', message(1))
    const large = await events.storeEvent('a', message(2, 'x'.repeat(1_000_000)))
    await expect(replayed(events, small)).rejects.toThrow('no longer kept')
    expect(await events.getStreamIdForEventId?.(large)).toBe('a')
  })

  test.each(['', '0', '-1', 'NaN', '1e3', '99'])('of an unknown id (%s) are none', async (id) => {
    const events = createSessionEvents()
    await events.storeEvent('a', message(1))
    await expect(replayed(events, id)).rejects.toThrow('no longer kept')
    expect(await events.getStreamIdForEventId?.(id)).toBeUndefined()
  })
})
