import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { AttemptEnd } from '../../../src/domain/ports/attempt.ts'
import { waitUntil } from '../../support/wait-until.ts'
import { fastPace, type Harness, isGone, runningIn, type Started, useThreads } from './threads-harness.ts'

async function openManager(harness: Harness) {
  const manager = await harness.manager({ pace: fastPace })
  manager.executor.adopted()
  return manager
}

function endsOf(attempts: readonly Started[]): Promise<AttemptEnd[]> {
  return Promise.all(attempts.map((one) => one.end()))
}

test('the only attempt in a host that is killed is counted as a crash, with its checkpoint and its output', async () => {
  const harness = useThreads()
  const manager = await openManager(harness)
  const attempt = manager.start({ do: 'wait', checkpoint: { page: 7 }, output: 'one\ntwo\n' })
  const host = await runningIn(harness, attempt)
  process.kill(harness.record(host).pid, 'SIGKILL')
  expect(await attempt.end()).toMatchObject({
    kind: 'lost',
    countsAsCrash: true,
    checkpoint: { page: 7 },
    output: { bytes: 8, tail: 'one\ntwo\n' },
    message: expect.stringContaining('was ended by SIGKILL'),
  })
  const next = manager.start({ do: 'return', value: 'next' })
  expect(await next.end()).toMatchObject({ kind: 'completed', result: 'next' })
})

test('of several attempts in a host that dies none is counted, and what it said last is told', async () => {
  const harness = useThreads()
  const manager = await openManager(harness)
  const done = manager.start({ do: 'return' })
  await done.end()
  const says =
    '<--- Last few GCs --->\nFATAL ERROR: Reached heap limit - JavaScript heap out of memory\n1: 0xb7 [node]\n'
  const attempts = manager.startAll([{ do: 'wait' }, { do: 'wait' }, { do: 'die', says, after_ms: 20 }])
  for (const end of await endsOf(attempts)) {
    expect(end).toMatchObject({
      kind: 'lost',
      countsAsCrash: false,
      message: expect.stringMatching(/heap out of memory.*tried again alone/),
    })
  }
})

test('of a stuck host the culprit ends as it said, and the innocent are given back', async () => {
  const harness = useThreads()
  const manager = await openManager(harness)
  const words = { reason: 'stuck', message: 'a thread did not end' }
  const culprit = { kind: 'timed_out', which: 'unit', limitMs: 50 }
  const [innocent, guilty] = manager.startAll([
    { do: 'wait', checkpoint: 'half' },
    { do: 'last_words', words, culprit, after_ms: 20 },
  ]) as [Started, Started]
  expect(await guilty.end()).toMatchObject({ kind: 'timed_out', which: 'unit', limitMs: 50 })
  expect(await innocent.end()).toMatchObject({ kind: 'released', backOff: false, checkpoint: 'half' })
})

test('all in a host that ended for its memory are suspects', async () => {
  const harness = useThreads()
  const manager = await openManager(harness)
  const words = { reason: 'memory', message: 'the process used 5 GB, more than the 4 GB of host_memory' }
  const attempts = manager.startAll([{ do: 'wait' }, { do: 'last_words', words, after_ms: 20 }])
  for (const end of await endsOf(attempts)) {
    expect(end).toMatchObject({ kind: 'lost', countsAsCrash: false, message: expect.stringContaining('host_memory') })
  }
})

test('what was told to stop when its host died has stopped', async () => {
  const harness = useThreads()
  const manager = await openManager(harness)
  const [stopped, other] = manager.startAll([{ do: 'deaf' }, { do: 'wait' }]) as [Started, Started]
  const host = await runningIn(harness, stopped, other)
  stopped.control.stop('cancel')
  process.kill(harness.record(host).pid, 'SIGKILL')
  expect(await stopped.end()).toMatchObject({ kind: 'stopped', reason: 'cancel', survivors: [] })
  expect(await other.end()).toMatchObject({ kind: 'lost', countsAsCrash: false })
})

test('a host that answers nothing is killed', async () => {
  const harness = useThreads()
  const manager = await openManager(harness)
  const attempt = manager.start({ do: 'mute' })
  const { pid } = harness.record(await runningIn(harness, attempt))
  expect(await attempt.end()).toMatchObject({
    kind: 'lost',
    countsAsCrash: true,
    message: expect.stringContaining('answered nothing'),
  })
  expect(isGone(pid)).toBe(true)
})

test('a host that lives and takes no connection any more is killed', async () => {
  const harness = useThreads()
  const manager = await openManager(harness)
  const attempt = manager.start({ do: 'close', checkpoint: 'here' })
  const { pid } = harness.record(await runningIn(harness, attempt))
  expect(await attempt.end()).toMatchObject({ kind: 'lost', countsAsCrash: true, checkpoint: 'here' })
  expect(isGone(pid)).toBe(true)
})

test('a host that only waits for the next attempt is not asked', async () => {
  const harness = useThreads()
  const manager = await openManager(harness)
  const first = manager.start({ do: 'return' })
  await first.end()
  const host = await runningIn(harness, first)
  const asked = harness.heard(host, 'ping').length
  const other = await harness.manager({
    pace: fastPace,
    paths: { ...harness.paths, hosts: join(harness.home, 'other') },
  })
  other.executor.adopted()
  const attempt = other.start({ do: 'wait' })
  await waitUntil(() => attempt.control.elapsedMs() > 3 * fastPace.pingMs)
  expect(harness.heard(host, 'ping').length).toBe(asked)
})

test('a stop that a host never confirms ends it; the other attempts are given back', async () => {
  const harness = useThreads()
  const manager = await openManager(harness)
  const [deaf, other] = manager.startAll([{ do: 'deaf' }, { do: 'wait' }]) as [Started, Started]
  const { pid } = harness.record(await runningIn(harness, deaf, other))
  deaf.control.stop('cancel')
  expect(await deaf.end()).toMatchObject({ kind: 'stopped', reason: 'cancel' })
  expect(await other.end()).toMatchObject({ kind: 'released', backOff: false })
  expect(isGone(pid)).toBe(true)
})

test('what a host and its attempts started is gone before their ends are told', async () => {
  const harness = useThreads()
  const manager = await openManager(harness)
  const file = join(harness.home, 'pids')
  const attempt = manager.start({ do: 'children', pids: file })
  const pids = await waitUntil(() => {
    const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : []
    return lines.length === 3 ? lines.map(Number) : null
  })
  const host = await runningIn(harness, attempt)
  expect(pids.some(isGone)).toBe(false)
  process.kill(harness.record(host).pid, 'SIGKILL')
  await attempt.end()
  expect(pids.filter((pid) => !isGone(pid))).toEqual([])
})

test('the directory of a dead host stays until the ends of its attempts are committed', async () => {
  const harness = useThreads()
  const manager = await openManager(harness)
  const done = manager.start({ do: 'return' })
  await done.end()
  const attempt = manager.start({ do: 'wait' })
  const host = await runningIn(harness, attempt)
  const { pid, socket } = harness.record(host)
  process.kill(pid, 'SIGKILL')
  await attempt.end()
  manager.executor.acknowledge([attempt.fence])
  expect(harness.hosts()).toContain(host)
  manager.executor.acknowledge([done.fence])
  await waitUntil(() => !harness.hosts().includes(host))
  expect(existsSync(socket)).toBe(false)
})

test('lonely attempts run one at a time in a host of their own, which ends when it has nothing to do', async () => {
  const harness = useThreads()
  const manager = await openManager(harness)
  const normal = manager.start({ do: 'wait' })
  const first = manager.start({ do: 'wait' }, { alone: true })
  const second = manager.start({ do: 'die' }, { alone: true })
  const lonely = await runningIn(harness, first)
  expect(harness.record(lonely).alone).toBe(true)
  expect(harness.heard(lonely, 'run')).toHaveLength(1)
  first.control.stop('cancel')
  expect(await first.end()).toMatchObject({ kind: 'stopped' })
  expect(await second.end()).toMatchObject({ kind: 'lost', countsAsCrash: true })
  const third = manager.start({ do: 'return' }, { alone: true })
  await third.end()
  const { pid } = harness.record(await runningIn(harness, third))
  for (const one of [first, second, third]) manager.executor.acknowledge([one.fence])
  await waitUntil(() => isGone(pid))
  await waitUntil(() => manager.executor.status().length === 1)
  expect(normal.ends).toEqual([])
})
