import { expect, test } from 'vitest'
import { encodeFrame, FrameDecoder, FrameError } from '../../../../src/workers/threads/frames.ts'

test('messages come out as they went in, whatever the pieces', () => {
  const batches = [[{ kind: 'a', text: 'ü€😀' }], [], [{ n: 1 }, { n: 2 }]]
  const bytes = Buffer.concat(batches.map(encodeFrame))
  for (let size = 1; size <= bytes.length; size++) {
    const decoder = new FrameDecoder()
    const messages: object[] = []
    for (let at = 0; at < bytes.length; at += size) messages.push(...decoder.push(bytes.subarray(at, at + size)))
    expect(messages).toEqual(batches.flat())
  }
})

test.each([
  ['too long', Buffer.from([0, 0, 1, 0])],
  ['no JSON', Buffer.from('\0\0\0\x03abc')],
  ['no array', Buffer.from('\0\0\0\x02{}')],
  ['not of objects', Buffer.from('\0\0\0\x03[1]')],
])('a frame that is %s is refused', (_, bytes) => {
  expect(() => new FrameDecoder(100).push(bytes)).toThrow(FrameError)
})

test('a large frame in small pieces costs no more than its length', () => {
  const frame = encodeFrame([{ text: 'x'.repeat(24 * 1024 * 1024) }])
  const decoder = new FrameDecoder()
  const begun = performance.now()
  let messages: readonly object[] = []
  for (let at = 0; at < frame.length; at += 4_096) messages = decoder.push(frame.subarray(at, at + 4_096))
  expect(messages).toHaveLength(1)
  // Copied anew for each of its 6,000 pieces it would take a minute.
  expect(performance.now() - begun).toBeLessThan(5_000)
})
