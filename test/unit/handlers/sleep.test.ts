import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { runHandler } from '../../../src/handler/testing/index.ts'
import sleep from '../../../src/workers/handlers/sleep.ts'

describe('sleep', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    onTestFinished(() => void vi.useRealTimers())
  })

  test('waits, tells every second how far it is, and saves it', async () => {
    const run = runHandler(sleep, { params: { seconds: 2.5 } })
    await vi.advanceTimersByTimeAsync(2499)
    await vi.advanceTimersByTimeAsync(1)
    const { outcome, result, progress, checkpoints } = await run
    expect(outcome).toEqual({ kind: 'completed' })
    expect(result).toEqual({ slept_s: 2.5 })
    expect(progress.map(({ current, total }) => [current, total])).toEqual([
      [0, 2.5],
      [1, 2.5],
      [2, 2.5],
      [2.5, 2.5],
    ])
    expect(checkpoints).toEqual([{ slept_s: 1 }, { slept_s: 2 }])
  })

  test('waits not a moment too short', async () => {
    let isOver = false
    const run = runHandler(sleep, { params: { seconds: 3, result: { any: ['thing'] } } })
    void run.then(() => {
      isOver = true
    })
    await vi.advanceTimersByTimeAsync(2999)
    expect(isOver).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    expect((await run).result).toEqual({ any: ['thing'] })
  })

  test('goes on where it stopped', async () => {
    const controller = new AbortController()
    const run = runHandler(sleep, { params: { seconds: 60 }, signal: controller.signal })
    await vi.advanceTimersByTimeAsync(40_500)
    controller.abort()
    const { outcome, checkpoints } = await run
    expect(outcome).toEqual({ kind: 'cancelled' })
    expect(checkpoints.at(-1)).toEqual({ slept_s: 40.5 })

    const began = performance.now()
    const next = runHandler(sleep, { params: { seconds: 60 }, lastCheckpoint: checkpoints.at(-1) ?? null, attempt: 2 })
    await vi.runAllTimersAsync()
    expect((await next).result).toEqual({ slept_s: 60 })
    expect(performance.now() - began).toBe(19_500)
  })

  test('fails when it is told to, and waits anew in the next attempt', async () => {
    const run = runHandler(sleep, { params: { seconds: 1.5, fail_with: 'as asked' } })
    await vi.runAllTimersAsync()
    const { outcome, checkpoints } = await run
    expect(outcome).toMatchObject({ kind: 'failed', message: 'as asked' })
    expect(checkpoints.at(-1)).toEqual({ slept_s: 0 })
  })

  test('of no seconds is over at once', async () => {
    const { result, checkpoints } = await runHandler(sleep, { params: { seconds: 0 } })
    expect(result).toEqual({ slept_s: 0 })
    expect(checkpoints).toEqual([])
  })

  test.each([{}, { seconds: -1 }, { seconds: Number.POSITIVE_INFINITY }, { seconds: '5' }])('refuses %j', (params) => {
    expect(sleep.params.safeParse(params).success).toBe(false)
  })
})
