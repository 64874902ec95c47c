import { appendFileSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openAttemptLog } from '../../../src/workers/attempt-log.ts'
import { readOutput } from '../../../src/workers/output-reader.ts'
import { useTemporaryHome } from '../../support/temporary-home.ts'

const place = (): string => join(useTemporaryHome().home, 'attempts', 'u.1.n')

test('what is appended is the output of the attempt', async () => {
  const directory = place()
  const log = openAttemptLog(directory, 1_000_000)
  await log.append('first\n', 6)
  await log.append('sécond\n', 14)
  expect(log.next).toBe(14)
  expect(await log.finish()).toEqual({ bytes: 14, droppedBytes: 0, tail: 'first\nsécond\n' })
  expect(readFileSync(join(directory, 'output'), 'utf8')).toBe('first\nsécond\n')
  expect(statSync(join(directory, 'output')).mode & 0o777).toBe(0o600)
})

test('the next manager goes on where it ended, though bytes were replaced on the way', async () => {
  const directory = place()
  await openAttemptLog(directory, 1_000_000).append('bad \uFFFD byte\n', 11)
  const next = openAttemptLog(directory, 1_000_000)
  expect(next.next).toBe(11)
  await next.append('more\n', 16)
  expect((await next.finish()).tail).toBe('bad \uFFFD byte\nmore\n')
})

test('a piece whose place was not noted any more is not asked for again', async () => {
  const directory = place()
  await openAttemptLog(directory, 1_000_000).append('one\n', 4)
  appendFileSync(join(directory, 'output'), 'two\n')
  expect(openAttemptLog(directory, 1_000_000).next).toBe(8)
})

test('what the worker dropped is said', async () => {
  const directory = place()
  const log = openAttemptLog(directory, 1_000_000)
  await log.append('head\n', 5)
  await log.append('tail\n', 1_000_010)
  expect((await log.finish()).tail).toBe('head\n… 1000000 bytes were dropped by the worker …\ntail\n')
})

test('head and tail are kept under the cap', async () => {
  const directory = place()
  const cap = 400_000
  const log = openAttemptLog(directory, cap)
  let next = 0
  for (let piece = 0; piece < 60; piece += 1) {
    const text = `${String(piece).padStart(9)}\n`.repeat(6_000)
    next += text.length
    await log.append(text, next)
  }
  const facts = await log.finish()
  const kept = readdirSync(directory).filter((name) => /^output(\.head|\.tail\.\d+)?$/.test(name))
  const bytes = kept.reduce((sum, name) => sum + statSync(join(directory, name)).size, 0)
  expect(bytes).toBeLessThan(cap + 300_000)
  expect(facts.bytes).toBe(next)
  expect(facts.droppedBytes).toBeGreaterThan(2_000_000)
  expect(facts.tail.endsWith('       59\n')).toBe(true)
  const head = await readOutput(directory, { offset: 0, maxBytes: 10 })
  expect(Buffer.from(head.bytes).toString()).toBe('        0\n')
})

test('nothing was said: no output', async () => {
  expect(await openAttemptLog(place(), 1_000).finish()).toEqual({ bytes: 0, droppedBytes: 0, tail: '' })
})

test('a directory that cannot be made costs the log alone', async () => {
  const { home } = useTemporaryHome()
  appendFileSync(join(home, 'file'), '')
  const log = openAttemptLog(join(home, 'file', 'attempt'), 1_000)
  await log.append('lost\n', 5)
  expect(log.next).toBe(5)
  expect(await log.finish()).toMatchObject({ bytes: 0 })
})
