import { expect, test } from 'vitest'
import { createCallLimiter } from '../../../src/tools/call-limiter.ts'

const never = new AbortController().signal

function controlled() {
  let finish: (value: string) => void = () => {}
  const promise = new Promise<string>((resolve) => {
    finish = resolve
  })
  return { promise, finish }
}

test('no more than the allowed calls run; the others follow in order', async () => {
  const limiter = createCallLimiter({ parallel: 2, waiting: 10, remedy: 'wait' })
  const started: number[] = []
  const works = [0, 1, 2, 3].map(() => controlled())
  const answers = works.map((work, index) =>
    limiter.run(() => {
      started.push(index)
      return work.promise
    }, never),
  )
  await expect.poll(() => started).toEqual([0, 1])
  works[1]?.finish('one')
  await expect.poll(() => started).toEqual([0, 1, 2])
  works[0]?.finish('zero')
  works[2]?.finish('two')
  works[3]?.finish('three')
  expect(await Promise.all(answers)).toEqual(['zero', 'one', 'two', 'three'])
})

test('a failing call gives its place back', async () => {
  const limiter = createCallLimiter({ parallel: 1, waiting: 1, remedy: 'wait' })
  await expect(limiter.run(() => Promise.reject(new Error('broken')), never)).rejects.toThrow('broken')
  expect(await limiter.run(async () => 'next', never)).toBe('next')
})

test('too many waiting calls are refused with the remedy', async () => {
  const limiter = createCallLimiter({ parallel: 1, waiting: 0, remedy: 'Call once.' })
  const first = controlled()
  const running = limiter.run(() => first.promise, never)
  await expect(limiter.run(async () => 'x', never)).rejects.toMatchObject({
    code: 'limit_exceeded',
    remedy: 'Call once.',
  })
  first.finish('done')
  expect(await running).toBe('done')
})

test('a call that is aborted while it waits gives up its turn', async () => {
  const limiter = createCallLimiter({ parallel: 1, waiting: 5, remedy: 'wait' })
  const first = controlled()
  const running = limiter.run(() => first.promise, never)
  const abort = new AbortController()
  const started: string[] = []
  const aborted = limiter.run(async () => started.push('aborted'), abort.signal)
  const third = limiter.run(async () => started.push('third'), never)
  abort.abort(new Error('gone'))
  await expect(aborted).rejects.toThrow('gone')
  first.finish('done')
  await Promise.all([running, third])
  expect(started).toEqual(['third'])
})
