import { expect, test } from 'vitest'
import { MemoryWatch } from '../../../../src/workers/thread-host/memory-watch.ts'

test('below the limit nothing is done', () => {
  expect(new MemoryWatch(100).judge(100, 3, 0, 0)).toBe('nothing')
})

test('one that runs alone is ended; of several nobody knows which it was', () => {
  expect(new MemoryWatch(100).judge(101, 1, 0, 0)).toBe('end_the_one')
  expect(new MemoryWatch(100).judge(101, 2, 0, 0)).toBe('end_the_host')
})

test('while a thread is being ended, and before anything begins, it waits a while', () => {
  const watch = new MemoryWatch(100)
  expect(watch.judge(101, 1, 1, 0)).toBe('wait')
  expect(watch.judge(101, 0, 0, 4_999)).toBe('wait')
  expect(watch.judge(101, 0, 0, 5_000)).toBe('end_the_host')
  expect(watch.judge(90, 0, 0, 5_100)).toBe('nothing')
  expect(watch.judge(101, 0, 0, 5_200)).toBe('wait')
})
