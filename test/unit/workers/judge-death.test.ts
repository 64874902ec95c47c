import { describe, expect, test } from 'vitest'
import { type DeathFacts, judgeDeath, type UnendedAttempt } from '../../../src/workers/threads/judge-death.ts'
import type { HandlerEnd } from '../../../src/workers/threads/protocol.ts'

const output = { bytes: 0, droppedBytes: 0, tail: '' }
const completed: HandlerEnd = { kind: 'completed', result: 1, artifacts: [], elapsedMs: 3, output }

function attempt(key: string, more: Partial<UnendedAttempt> = {}): UnendedAttempt {
  return { key, stopReason: null, elapsedMs: 10, ...more }
}

function judge(facts: Partial<DeathFacts>, ...attempts: readonly UnendedAttempt[]) {
  const known: DeathFacts = {
    journal: new Map(),
    lastWords: null,
    endedFor: null,
    otherBoot: false,
    how: 'was ended by SIGSEGV',
    crashLine: '',
    others: false,
    ...facts,
  }
  return Object.fromEntries(judgeDeath(known, attempts))
}

const crash = { kind: 'lost', countsAsCrash: true }
const suspect = { kind: 'lost', countsAsCrash: false }

describe('a host that died for an unknown reason', () => {
  test('with one attempt: it is counted', () => {
    expect(judge({}, attempt('a'))).toMatchObject({ a: { ...crash, elapsedMs: 10 } })
  })

  test('with several: none is', () => {
    expect(judge({}, attempt('a'), attempt('b'))).toMatchObject({ a: suspect, b: suspect })
  })

  test('the others ended before: the one that is left is counted', () => {
    expect(judge({ journal: new Map([['b', completed]]) }, attempt('a'), attempt('b'))).toEqual({
      a: expect.objectContaining(crash),
      b: completed,
    })
  })

  test('another was told to stop: it may have been that one', () => {
    const stopped = attempt('b', { stopReason: 'release' })
    expect(judge({}, attempt('a'), stopped)).toMatchObject({ a: suspect, b: { kind: 'stopped', reason: 'release' } })
  })

  test('others were judged before: the late one is not counted', () => {
    expect(judge({ others: true }, attempt('a'))).toMatchObject({ a: suspect })
  })

  test('what it said last is told, its last words before its log', () => {
    const lastWords = { reason: 'memory', culprit: null, message: 'too large' } as const
    const messageOf = (facts: Partial<DeathFacts>) => (judge(facts, attempt('a'))['a'] as { message: string }).message
    expect(messageOf({ crashLine: 'out of memory' })).toBe(
      'the process of the handler was ended by SIGSEGV: out of memory',
    )
    expect(messageOf({ crashLine: 'out of memory', lastWords })).toBe(
      'the process of the handler was ended by SIGSEGV: too large',
    )
  })
})

describe('a host whose end has a reason', () => {
  const culprit = { key: 'b', end: { kind: 'timed_out', which: 'idle', limitMs: 5, elapsedMs: 6, output } } as const
  const stuck = { lastWords: { reason: 'stuck', culprit, message: '' } } as const

  test('stuck: the culprit as it said, the others are innocent, be it one or several', () => {
    expect(judge(stuck, attempt('a'), attempt('b'))).toEqual({
      a: { kind: 'released', message: expect.stringContaining('another attempt'), backOff: false, elapsedMs: 10 },
      b: culprit.end,
    })
    expect(judge(stuck, attempt('a'), attempt('c'))).toMatchObject({ a: { kind: 'released' }, c: { kind: 'released' } })
  })

  test.each(['unclaimed', 'told'] as const)('%s: given back', (reason) => {
    const lastWords = { reason, culprit: null, message: 'why' }
    expect(judge({ lastWords }, attempt('a'))).toMatchObject({ a: { kind: 'released', backOff: false } })
  })

  test('memory: as for an unknown reason', () => {
    const lastWords = { reason: 'memory', culprit: null, message: 'why' } as const
    expect(judge({ lastWords }, attempt('a'), attempt('b'))).toMatchObject({ a: suspect, b: suspect })
    expect(judge({ lastWords }, attempt('a'))).toMatchObject({ a: crash })
  })

  test('ended by the manager: given back, or stopped when that was asked for', () => {
    const ends = judge({ endedFor: 'it is old' }, attempt('a'), attempt('b', { stopReason: 'cancel' }))
    expect(ends).toMatchObject({
      a: { kind: 'released', message: expect.stringContaining('it is old') },
      b: { kind: 'stopped', reason: 'cancel' },
    })
  })

  test('a restart of the machine: lost and not counted, whatever was written before it', () => {
    const journal = new Map([['a', completed]])
    expect(judge({ ...stuck, journal, otherBoot: true }, attempt('a'), attempt('b'))).toMatchObject({
      a: suspect,
      b: suspect,
    })
    expect(judge({ otherBoot: true }, attempt('a'))).toMatchObject({ a: suspect })
  })
})
