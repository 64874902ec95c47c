import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createChance } from '../fuzz/chance.ts'
import { expectationOf } from '../fuzz/expectation.ts'
import { createFrameSource } from '../fuzz/frame-source.ts'
import { hostileFrames } from '../fuzz/hostile-corpus.ts'
import { fuzzHttp } from '../fuzz/http-run.ts'
import { answersNormally, fuzzStdio, openSession, prepareQueues } from '../fuzz/stdio-run.ts'
import { type StdioSession, startStdioSession } from '../fuzz/stdio-session.ts'
import type { Era } from '../fuzz/valid-frames.ts'
import { makeTemporaryHome, useTemporaryHome } from '../support/temporary-home.ts'

const eras: readonly Era[] = ['legacy', 'modern']
/** Always the same frames; `node scripts/fuzz.mjs` has others every time. */
const seed = 20_310_504
const stdioFrames = 1_500
const httpFrames = 250
const mostErrorBytes = 64 * 1024
/** Of memory after the warm-up, in MB. */
const mostGrowth = 100

const sound = { deaths: 0, unanswered: [], fault_examples: [], normal_call: true, same_manager: true }

function expectAccountSettled({ book, hung }: StdioSession): void {
  expect(hung).toEqual([])
  expect(book.faults).toEqual([])
  expect(book.complaints).toBe(book.complaintsOwed)
}

describe.each(eras)('%s', (era) => {
  const home = makeTemporaryHome()
  let directory = ''
  beforeAll(async () => {
    directory = await prepareQueues(home, era)
  })
  afterAll(home.remove)

  test('survives the corpus of hostile frames over stdio, and answers each that can be answered', async () => {
    const session = startStdioSession(home)
    await openSession(session, era)
    for (const { why, bytes } of hostileFrames()) {
      await session.send(Buffer.concat([bytes, Buffer.from('\n')]))
      expect(session.exit(), why).toBeNull()
    }
    await session.drain()
    expectAccountSettled(session)
    expect(await answersNormally(session, era)).toBe(true)
    expect(session.stderrBytes()).toBeLessThan(mostErrorBytes)
    await session.close()
  })

  test(`survives ${stdioFrames} mutated frames over stdio`, async () => {
    const figures = await fuzzStdio(home, { era, seed, frames: stdioFrames, directory })
    expect(figures).toMatchObject(sound)
    expect(figures.complaints).toBe(figures.complaints_owed)
    expect(figures.rss_after_mb - figures.rss_before_mb).toBeLessThan(mostGrowth)
    expect(figures.stderr_bytes).toBeLessThan(mostErrorBytes)
  })

  test(`survives ${httpFrames} mutated frames and broken connections over HTTP`, async () => {
    const figures = await fuzzHttp(home, { era, seed, frames: httpFrames, directory })
    expect(figures).toMatchObject(sound)
    expect(figures.stderr_bytes).toBeLessThan(mostErrorBytes)
  })
})

test('hostile frames before the opening do not spoil it', async () => {
  const session = startStdioSession(useTemporaryHome())
  const small = hostileFrames().filter(
    ({ bytes }) => bytes.length < 100_000 && expectationOf(bytes).kind === 'complaint',
  )
  for (const { bytes } of small) await session.send(Buffer.concat([bytes, Buffer.from('\n')]))
  await openSession(session, 'legacy')
  expect(await answersNormally(session, 'legacy')).toBe(true)
  expectAccountSettled(session)
  await session.close()
})

test('half a line, then the end of stdin: it answers what came whole and ends with 0', async () => {
  const chance = createChance(seed)
  const source = createFrameSource('legacy', chance, '/nowhere')
  const home = useTemporaryHome()
  const sessions = Array.from({ length: 4 }, () => startStdioSession(home))
  const endOf = async (session: StdioSession) => {
    await openSession(session, 'legacy')
    await session.send(Buffer.from('{"jsonrpc":"2.0","id":"whole","method":"ping"}\n'))
    const frame = source.next()
    await session.send(frame.subarray(0, chance.below(frame.length)))
    await session.close()
    expect(session.exit()).toEqual({ code: 0, signal: null })
    expect(session.book.faults).toEqual([])
  }
  await Promise.all(sessions.map(endOf))
})
