import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import type { Json } from '../../../src/domain/job.ts'
import { readCheckpoint } from '../../../src/workers/threads/checkpoint-file.ts'
import { DeclaredJobs } from '../../../src/workers/threads/declared-jobs.ts'
import { DurationMeans } from '../../../src/workers/threads/duration-means.ts'
import { HandedFile, readHanded } from '../../../src/workers/threads/handed-file.ts'
import { crashLine, lastLine } from '../../../src/workers/threads/host-files.ts'
import { hearMessage } from '../../../src/workers/threads/host-messages.ts'
import { LaunchLimit } from '../../../src/workers/threads/launch-limit.ts'
import { Reconnects } from '../../../src/workers/threads/reconnects.ts'

function useDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'nk-threads-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  return directory
}

describe('units per slot', () => {
  let means: DurationMeans
  const add = (ms: number, times: number, revision = 'r'): void => {
    for (let at = 0; at < times; at += 1) means.add('type', revision, ms)
  }
  beforeEach(() => {
    means = new DurationMeans()
  })

  test.each([
    [0, 256],
    [0.05, 256],
    [0.5, 40],
    [1, 20],
    [4, 5],
    [4.9, 4],
    [5, 1],
    [10_000, 1],
  ])('of %d ms each: %d', (ms, units) => {
    add(ms, 10)
    expect(means.unitsPerSlot('type')).toBe(units)
  })

  test('one until enough is known, and of a type that nobody ran', () => {
    add(0.1, 7)
    expect(means.unitsPerSlot('type')).toBe(1)
    add(0.1, 1)
    expect(means.unitsPerSlot('type')).toBeGreaterThan(100)
    expect(means.unitsPerSlot('other')).toBe(1)
  })

  test('a few long ones are soon known, and so is other code', () => {
    add(0.1, 1_000)
    add(100, 1)
    expect(means.unitsPerSlot('type')).toBe(1)
    add(0.1, 100)
    expect(means.unitsPerSlot('type')).toBeGreaterThan(100)
    add(0.1, 1, 'another')
    expect(means.unitsPerSlot('type')).toBe(1)
  })
})

test('five deaths at the start within a minute are the limit', () => {
  const limit = new LaunchLimit()
  expect(limit.pauseMs()).toBe(0)
  for (const at of [0, 10_000, 20_000, 30_000]) limit.failed(at)
  expect(limit.isReached(30_000)).toBe(false)
  expect(limit.pauseMs()).toBe(800)
  limit.failed(40_000)
  expect(limit.isReached(40_000)).toBe(true)
  expect(limit.isReached(59_999)).toBe(true)
  expect(limit.isReached(60_000)).toBe(false)
  limit.succeeded()
  expect(limit.pauseMs()).toBe(0)
})

test('a job is declared at its first attempt, and forgotten when it has been idle for a hundred others', () => {
  const jobs = new DeclaredJobs()
  expect([jobs.use('a'), jobs.use('a'), jobs.use('b')]).toEqual([true, false, true])
  expect([jobs.release('a'), jobs.release('a'), jobs.release('unknown')]).toEqual([null, null, null])
  expect(jobs.use('a')).toBe(false)
  jobs.release('a')
  const forgotten = Array.from({ length: 101 }, (_, at) => {
    jobs.use(`idle-${at}`)
    return jobs.release(`idle-${at}`)
  })
  expect(forgotten.filter((key) => key !== null)).toEqual(['a', 'idle-0'])
  expect([jobs.use('a'), jobs.use('b')]).toEqual([true, false])
})

test('on a new connection a job is declared once more, though attempts of it are in the host', () => {
  const jobs = new DeclaredJobs()
  jobs.use('a')
  jobs.use('a')
  jobs.clear()
  expect(jobs.knows('a')).toBe(false)
  expect([jobs.use('a'), jobs.use('a')]).toEqual([true, false])
  jobs.doubt('a')
  expect([jobs.use('a'), jobs.use('a')]).toEqual([true, false])
})

test('connections that break at once are made ever more slowly, and those that last begin anew', () => {
  const reconnects = new Reconnects()
  let now = 0
  const lasts = (ms: number, isUnreadable = false): number => {
    reconnects.connected(now)
    now += ms
    reconnects.broke(now, isUnreadable)
    return reconnects.pauseMs
  }
  expect(Array.from({ length: 10 }, () => lasts(4))).toEqual([0, 0, 50, 100, 200, 400, 800, 1_600, 2_000, 2_000])
  expect([lasts(60_000), lasts(1)]).toEqual([0, 0])
  const hopeless = [true, true, false, true, true, true].map((isUnreadable) => {
    lasts(10, isUnreadable)
    return reconnects.isHopeless
  })
  expect(hopeless).toEqual([false, false, false, false, false, true])
})

describe('what was handed over', () => {
  test('is there after any number of owners, and after a half line', () => {
    const file = join(useDirectory(), 'handed')
    expect(readHanded(file)).toEqual(new Set())
    const first = new HandedFile(file)
    first.add(['a', 'b'], () => [])
    first.close()
    writeFileSync(file, '\nhal', { flag: 'a' })
    const second = new HandedFile(file)
    second.add(['c'], () => [])
    second.close()
    expect([...readHanded(file)].filter((key) => key !== '')).toEqual(['a', 'b', 'hal', 'c'])
  })

  test('is written anew when it has grown too long, with what still counts', () => {
    const file = join(useDirectory(), 'handed')
    const handed = new HandedFile(file)
    const many = Array.from({ length: 100 }, (_, at) => `${'x'.repeat(50_000)}${at}`)
    handed.add(many, () => [])
    handed.add(['b'], () => ['a', 'b'])
    expect(readHanded(file)).toEqual(new Set(['a', 'b']))
    handed.add(['c'], () => [])
    handed.close()
    expect(statSync(file).size).toBeLessThan(10)
    expect(readHanded(file)).toEqual(new Set(['a', 'b', 'c']))
  })
})

test.each([
  ['', '', ''],
  ['one\ntwo\n\n', 'two', ''],
  [
    '<--- GCs --->\nFATAL ERROR: heap out of memory\n 1: 0xb node::Abort()\n 2: 0xc\n',
    'FATAL ERROR: heap out of memory',
    'FATAL ERROR: heap out of memory',
  ],
  ['2030-01-01T00:00:00.000Z a thread ran out of memory\n', '2030-01-01T00:00:00.000Z a thread ran out of memory', ''],
  ['Error: one\n  at here\nNode.js v20\n', 'Error: one', ''],
  [`${'x'.repeat(50_000)}\u001b[31mred\u0000\n`, `${'x'.repeat(199)}…`, ''],
])('the last line of a log', (log, line, ofCrash) => {
  const directory = useDirectory()
  writeFileSync(join(directory, 'host.log'), log)
  expect(lastLine(directory)).toBe(line)
  expect(crashLine(directory)).toBe(ofCrash)
})

test.each<[string, Json | undefined]>([
  ['{"a":[1]}', { a: [1] }],
  ['null', null],
  ['{"a":', undefined],
  ['', undefined],
  [`${'['.repeat(500)}${']'.repeat(500)}`, undefined],
])('a checkpoint file with %.20s', (text, value) => {
  const directory = useDirectory()
  expect(readCheckpoint(directory)).toBeUndefined()
  writeFileSync(join(directory, 'checkpoint.json'), text)
  expect(readCheckpoint(directory)).toEqual(value)
})

describe('what a host says', () => {
  const output = { bytes: 0, droppedBytes: 0, tail: '' }
  const good = { kind: 'completed', result: { a: 1 }, artifacts: [], elapsedMs: 1, output }

  function heard(message: object): readonly unknown[] {
    const all: unknown[] = []
    hearMessage(message, {
      ended: (key, end) => all.push([key, end]),
      progressed: (item) => all.push(item.key),
      computesOn: (key, { name }) => all.push([key, name]),
      answered: (pong) => all.push(pong.id),
      unreadable: (key) => all.push(['unreadable', key]),
    })
    return all
  }

  test('is passed on', () => {
    expect(heard({ kind: 'ended', items: [{ key: 'a', end: good }] })).toEqual([['a', good]])
    const device = { name: 'H200', kind: 'gpu' }
    expect(heard({ kind: 'device', items: [{ key: 'a', device }] })).toEqual([['a', 'H200']])
    expect(heard({ kind: 'ended', items: [{ key: 'a', end: good, device }] })).toEqual([
      ['a', 'H200'],
      ['a', good],
    ])
    expect(heard({ kind: 'pong', id: 4, rss_bytes: 1, attempts: [] })).toEqual([4])
  })

  test('one bad end leaves the others as they are', () => {
    const items = [{ key: 'a', end: good }, { key: 'b', end: {} }, { key: 7 }, null, { key: 'c', end: good }]
    expect(heard({ kind: 'ended', items })).toEqual([
      ['a', good],
      ['unreadable', 'b'],
      ['unreadable', null],
      ['unreadable', null],
      ['c', good],
    ])
  })

  test.each([
    {},
    { kind: 'nonsense' },
    { kind: 'ended' },
    { kind: 'ended', items: 3 },
    { kind: 'progress', items: [{ key: 'a', progress: 1 }] },
    { kind: 'device', items: [{ key: 'a', device: { name: 'x'.repeat(201), kind: 'gpu' } }] },
    { kind: 'device', items: [{ key: 'a', device: { name: 'H200', kind: 'tpu' } }] },
    { kind: 'welcome', protocol: 1, host_id: 'x', version: '1', threads: 1, attempts: [] },
  ])('nonsense names no attempt: %j', (message) => {
    expect(heard(message)).toEqual([['unreadable', null]])
  })

  test.each([
    [100, 'completed'],
    [101, 'failed'],
    [1_000, 'failed'],
    [100_000, 'unreadable'],
  ])('a result of %d levels', (levels, expected) => {
    const result = JSON.parse(`${'['.repeat(levels)}${']'.repeat(levels)}`) as Json
    const [[key, end] = []] = heard({ kind: 'ended', items: [{ key: 'a', end: { ...good, result } }] }) as [
      [string, { kind?: string }],
    ]
    expect(key === 'unreadable' ? key : end?.kind).toBe(expected)
  })
})
