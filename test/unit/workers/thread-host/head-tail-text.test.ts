import { expect, test } from 'vitest'
import { HeadTailText } from '../../../../src/workers/thread-host/head-tail-text.ts'

test.each([1, 3, 7, 100])('keeps head and tail of a text that comes in pieces of %i', (size) => {
  const text = Array.from({ length: 50 }, (_, at) => String(at % 10)).join('')
  const kept = new HeadTailText(20)
  for (let at = 0; at < text.length; at += size) kept.push(Buffer.from(text.slice(at, at + size)))
  expect(kept.text()).toBe(`${text.slice(0, 10)}\n… 30 bytes left out …\n${text.slice(-10)}`)
})

test('a text that fits is whole', () => {
  const kept = new HeadTailText(20)
  for (const piece of ['01234', '56789', '01234', '56789']) kept.push(Buffer.from(piece))
  expect(kept.text()).toBe('01234567890123456789')
})
