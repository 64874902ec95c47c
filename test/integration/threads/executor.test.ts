import { expect, test } from 'vitest'
import { QueueError } from '../../../src/domain/errors.ts'
import { waitUntil } from '../../support/wait-until.ts'
import { fastPace, runningIn, useThreads } from './threads-harness.ts'

test('attempts of a job are handed over in one frame, after it was declared once', async () => {
  const harness = useThreads()
  const manager = await harness.manager()
  manager.executor.adopted()
  const first = manager.startAll([
    { do: 'return', value: 1 },
    { do: 'return', value: [2] },
  ])
  expect(await Promise.all(first.map((one) => one.end()))).toMatchObject([
    { kind: 'completed', result: 1 },
    { kind: 'completed', result: [2] },
  ])
  const [host = ''] = harness.hosts()
  const second = manager.start({ do: 'return' })
  await second.end()
  expect(harness.heard(host, 'job')).toHaveLength(1)
  expect(harness.heard(host, 'run')).toHaveLength(2)
  expect(harness.heard(host, 'hello')).toMatchObject([{ epoch: 1, protocol: 1, version: '1.2.3' }])
})

test('a job whose code has changed is declared anew, and what had no attempt for long is forgotten', async () => {
  const harness = useThreads()
  const manager = await harness.manager()
  manager.executor.adopted()
  for (let job = 0; job < 102; job += 1) await manager.start({ do: 'return' }, {}, { jobId: `job-${job}` }).end()
  const [host = ''] = harness.hosts()
  expect(harness.heard(host, 'job')).toHaveLength(102)
  await waitUntil(() => harness.heard(host, 'forget').length === 2)
  expect(harness.heard(host, 'forget').map((one) => one['job_keys'])).toEqual([['job-0@r1'], ['job-1@r1']])
  await manager.start({ do: 'return' }, {}, { jobId: 'job-0' }).end()
  expect(harness.heard(host, 'job')).toHaveLength(103)
})

test('a final step is another job for the host: its params are its own', async () => {
  const harness = useThreads()
  const manager = await harness.manager()
  manager.executor.adopted()
  await manager.start({ do: 'return' }, {}, { params: { of: 'units' } }).end()
  await manager.start({ do: 'return' }, { resultsFile: '/results' }, { params: { of: 'final' } }).end()
  const [host = ''] = harness.hosts()
  expect(harness.heard(host, 'job').map(({ job }) => (job as { params: unknown }).params)).toEqual([
    { of: 'units' },
    { of: 'final' },
  ])
  const keys = harness.heard(host, 'run').map((run) => run['job_key'])
  expect(new Set(keys).size).toBe(2)
})

test('units of many MiB go through', async () => {
  const harness = useThreads()
  const manager = await harness.manager()
  manager.executor.adopted()
  const letters = 'abcdefghij'.split('')
  const attempts = manager.startAll(letters.map((letter) => ({ do: 'return', value: letter.repeat(1024 * 1024) })))
  const ends = await Promise.all(attempts.map((one) => one.end()))
  const results = ends.map((end) => (end.kind === 'completed' ? String(end.result) : ''))
  expect(results.map((text) => [text[0], text.length])).toEqual(letters.map((letter) => [letter, 1024 * 1024]))
})

test('what no message can hold is refused, and nothing else', async () => {
  const harness = useThreads()
  const manager = await harness.manager()
  manager.executor.adopted()
  const small = manager.start({ do: 'return' })
  const large = manager.start({ do: 'return' }, { checkpoint: 'x'.repeat(64 * 1024 * 1024) })
  expect(await large.end()).toMatchObject({ kind: 'not_started', error: { code: 'limit_exceeded' } })
  expect(await small.end()).toMatchObject({ kind: 'completed' })
})

test('the host keeps an end until it is acknowledged', async () => {
  const harness = useThreads()
  const manager = await harness.manager()
  manager.executor.adopted()
  const attempts = manager.startAll([{ do: 'return' }, { do: 'return' }, { do: 'return' }])
  await Promise.all(attempts.map((one) => one.end()))
  const [host = ''] = harness.hosts()
  const [a, b, c] = attempts
  manager.executor.acknowledge([a?.fence ?? never(), b?.fence ?? never()])
  manager.executor.acknowledge([c?.fence ?? never()])
  await waitUntil(() => harness.heard(host, 'acknowledge').length > 0)
  expect(harness.heard(host, 'acknowledge').map((one) => one['keys'])).toEqual([attempts.map(({ key }) => key)])
})

test('progress and clocks are those that the host tells', async () => {
  const harness = useThreads()
  const manager = await harness.manager({ pace: fastPace })
  manager.executor.adopted()
  const progress = { current: 3, total: 7, message: 'three', stage: null }
  const attempt = manager.start({ do: 'progress', progress })
  await waitUntil(() => attempt.progress.length > 0)
  expect(attempt.progress).toEqual([progress])
  expect(attempt.control.latestProgress()).toEqual(progress)
  expect(attempt.control.elapsedMs()).toBeGreaterThanOrEqual(1234)
  expect(attempt.control.silentMs()).toBeLessThan(1234)
  await waitUntil(() => manager.executor.status()[0]?.rssBytes)
  expect(manager.executor.status()).toMatchObject([{ threads: 2, attempts: 1 }])
  attempt.control.stop('cancel')
  expect(await attempt.end()).toMatchObject({ kind: 'stopped', reason: 'cancel' })
  const { elapsedMs } = await attempt.end()
  expect(attempt.control.elapsedMs()).toBe(elapsedMs)
})

test('an end that cannot be read fails its attempt alone; other nonsense costs nothing', async () => {
  const harness = useThreads()
  const manager = await harness.manager({ pace: fastPace })
  manager.executor.adopted()
  const other = manager.start({ do: 'wait' })
  const noisy = manager.start({ do: 'bad_progress' })
  const bad = manager.start({ do: 'bad_end', checkpoint: { at: 5 } })
  expect(await bad.end()).toMatchObject({
    kind: 'failed',
    checkpoint: { at: 5 },
    error: { code: 'handler_failed', message: expect.stringContaining('the thread host said something unreadable') },
  })
  const broken = manager.start({ do: 'garbage' })
  const host = await runningIn(harness, other, noisy, bad, broken)
  await waitUntil(() => harness.heard(host, 'hello').length === 2)
  for (const one of [other, noisy, broken]) one.control.stop('cancel')
  for (const one of [other, noisy, broken]) expect(await one.end()).toMatchObject({ kind: 'stopped' })
  expect(harness.hosts()).toEqual([host])
})

test('a handler can neither be frozen nor sent to', async () => {
  const harness = useThreads()
  const manager = await harness.manager()
  manager.executor.adopted()
  const { control } = manager.start({ do: 'wait' })
  for (const refused of [control.freeze(), control.send('text', false)]) {
    const error = await refused.catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(QueueError)
    expect(error).toMatchObject({ code: 'invalid_transition', message: expect.stringContaining('a handler') })
  }
  await control.thaw()
})

test('one slot takes many units of a type that is over in no time, and one of any other', async () => {
  const harness = useThreads()
  const manager = await harness.manager()
  manager.executor.adopted()
  const attempts = manager.startAll(Array.from({ length: 20 }, () => ({ do: 'return' })))
  await Promise.all(attempts.map((one) => one.end()))
  expect(manager.executor.unitsPerSlot('stand_in')).toBeGreaterThan(1)
  expect(manager.executor.unitsPerSlot('another')).toBe(1)
})

test('what was stopped before a host took it never ran', async () => {
  const harness = useThreads()
  const manager = await harness.manager()
  manager.executor.adopted()
  const attempt = manager.start({ do: 'wait' })
  attempt.control.stop('release')
  expect(await attempt.end()).toMatchObject({ kind: 'stopped', reason: 'release' })
  const next = manager.start({ do: 'return' })
  await next.end()
  expect(harness.heard(await runningIn(harness, next), 'run')).toHaveLength(1)
})

function never(): never {
  throw new Error('no such attempt')
}
