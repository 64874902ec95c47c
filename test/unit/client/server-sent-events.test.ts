import { expect, test } from 'vitest'
import { readServerSentEvents } from '../../../src/client/server-sent-events.ts'

async function* chunks(...parts: Uint8Array[]) {
  yield* parts
}

test('events come whole however the bytes are cut; comments are skipped', async () => {
  const bytes = Buffer.from(': hello\n\nevent: job\nid: 7\ndata: {"a":"é"}\n\ndata: one\ndata: two\n\nid: 9\n\n')
  for (const cut of [1, 2, 3, 25, 30, bytes.length]) {
    const parts: Uint8Array[] = []
    for (let at = 0; at < bytes.length; at += cut) parts.push(bytes.subarray(at, at + cut))
    const events = []
    for await (const event of readServerSentEvents(chunks(...parts))) events.push(event)
    expect(events).toEqual([
      { event: 'job', id: '7', data: '{"a":"é"}' },
      { event: 'message', id: null, data: 'one\ntwo' },
    ])
  }
})
