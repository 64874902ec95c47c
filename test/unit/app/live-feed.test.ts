import { describe, expect, test } from 'vitest'
import { createLiveFeed } from '../../../src/app/live-feed.ts'

/** A feed whose time and answers the test gives. */
function feedUnderTest() {
  const looks: { resolve(isBusy: boolean): void; reject(error: Error): void }[] = []
  const lost: number[] = []
  let timer: { ms: number; call: () => void } | null = null
  let isVisible = true
  let live = 0
  const feed = createLiveFeed({
    look: () => new Promise((resolve, reject) => looks.push({ resolve, reject })),
    isVisible: () => isVisible,
    after(ms, call) {
      timer = { ms, call }
      return () => {
        timer = null
      }
    },
    onLive: () => {
      live += 1
    },
    onLost: (_reason, retryMs) => lost.push(retryMs),
  })
  const settled = async (): Promise<void> => {
    for (let turn = 0; turn < 5; turn += 1) await Promise.resolve()
  }
  return {
    feed,
    looks,
    lost,
    live: () => live,
    waits: () => timer?.ms ?? null,
    elapse() {
      const due = timer
      timer = null
      due?.call()
    },
    see(visible: boolean) {
      isVisible = visible
    },
    async answer(isBusy: boolean) {
      looks.at(-1)?.resolve(isBusy)
      await settled()
    },
    async fail() {
      looks.at(-1)?.reject(new Error('gone'))
      await settled()
    },
  }
}

describe('the feed', () => {
  test('looks again and again, more often while something goes on', async () => {
    const under = feedUnderTest()
    under.feed.nudge()
    await under.answer(true)
    expect(under.waits()).toBe(2_000)
    under.elapse()
    expect(under.looks).toHaveLength(2)
    await under.answer(false)
    expect(under.waits()).toBe(4_000)
    expect(under.live()).toBe(2)
  })

  test('never has two looks at once, and repeats one that was wanted meanwhile', async () => {
    const under = feedUnderTest()
    under.feed.nudge()
    under.feed.nudge()
    under.feed.nudge()
    expect(under.looks).toHaveLength(1)
    await under.answer(false)
    expect(under.looks).toHaveLength(2)
    await under.answer(false)
    expect(under.looks).toHaveLength(2)
  })

  test('asks nothing while nobody sees the page, and at once when it is seen again', async () => {
    const under = feedUnderTest()
    under.feed.nudge()
    under.see(false)
    await under.answer(true)
    under.elapse()
    expect(under.looks).toHaveLength(1)
    under.see(true)
    under.feed.nudge()
    expect(under.looks).toHaveLength(2)
  })

  test('tries ever more slowly while nobody answers, and at the usual pace after that', async () => {
    const under = feedUnderTest()
    under.feed.nudge()
    for (let time = 0; time < 6; time += 1) {
      await under.fail()
      under.elapse()
    }
    expect(under.lost).toEqual([2_000, 4_000, 8_000, 15_000, 30_000, 30_000])
    await under.answer(true)
    expect(under.waits()).toBe(2_000)
    under.elapse()
    await under.fail()
    expect(under.lost.at(-1)).toBe(2_000)
  })

  test('ends when the host takes the page away', async () => {
    const under = feedUnderTest()
    under.feed.nudge()
    under.feed.stop()
    await under.answer(true)
    under.elapse()
    under.feed.nudge()
    expect(under.looks).toHaveLength(1)
    expect(under.live()).toBe(0)
  })
})
