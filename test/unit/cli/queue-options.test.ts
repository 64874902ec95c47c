import { describe, expect, it } from 'vitest'
import { forEveryJob } from '../../../src/cli/choose-jobs.ts'
import { piecesOf } from '../../../src/cli/commands/send.ts'
import { changesOf } from '../../../src/cli/commands/update.ts'
import { dependencyOption, flowOf } from '../../../src/cli/flow-options.ts'
import { typedJobIds, withWholeDependencies } from '../../../src/cli/job-ids.ts'
import { submitInputOf } from '../../../src/cli/job-input.ts'
import { integersOption, orNone, rateOption, wordsOption } from '../../../src/cli/option-values.ts'
import type { Session } from '../../../src/cli/session.ts'

const world = { cwd: '/home/ada/project', now: Date.UTC(2030, 0, 1) }
const id = '01a200a5-580e-7e89-ad89-2a6f000561a2'

describe('options of a job with units', () => {
  it('each go to their field of the wire', () => {
    const input = submitInputOf(
      {
        unit: ['a', 'b'],
        unitKey: '{{unit}}',
        concurrency: '4',
        perKey: '{{unit.host}}',
        perKeyConcurrency: '2',
        perKeyRate: '10/60s',
        testFirst: '3',
        maxFailed: '5',
        stopEarly: false,
        final: 'sort "$NIGHTKILN_RESULTS"',
        keepOpen: true,
        dependsOn: [`${id}:fit:ended`, id],
        totalTimeout: '2h',
        retryOn: 'exit_code,timeout',
        retryExitCodes: '1,75',
        rejectedExitCodes: '2',
        rateLimitedCodes: '29',
        rateLimitedText: '429',
        rateLimitedWait: '30s',
        interactive: true,
        cwd: 'sub',
      },
      ['do', '{{unit}}'],
      world,
    )
    expect(input).toEqual({
      type: 'command',
      params: { argv: ['do', '{{unit}}'], cwd: '/home/ada/project/sub', interactive: true },
      units: ['a', 'b'],
      unit_key: '{{unit}}',
      concurrency: 4,
      per_key: { key: '{{unit.host}}', concurrency: 2, rate_limit: { count: 10, interval_s: 60 } },
      test_first: 3,
      max_failed_units: 5,
      stop_early: false,
      final_step: {
        params: { shell: true, script: 'sort "$NIGHTKILN_RESULTS"', cwd: '/home/ada/project/sub' },
      },
      keep_open: true,
      depends_on: [
        { id, as: 'fit', condition: 'ended' },
        { id, condition: 'completed' },
      ],
      total_timeout_s: 7200,
      retry_on: ['exit_code', 'timeout'],
      retry_exit_codes: [1, 75],
      rejected_exit_codes: [2],
      rate_limited: { exit_codes: [29], text: '429', wait_s: 30 },
    })
  })

  it.each([
    [{ maxFailed: '2.5%' }, { max_failed_percent: 2.5 }],
    [{ maxFailed: '0' }, { max_failed_units: 0 }],
    [{ finalParams: '{"argv":["x"]}' }, { final_step: { params: { argv: ['x'] } } }],
    [{ stopEarly: true }, { stop_early: true }],
    [{}, {}],
  ])('%j says %j', (options, fields) => {
    expect(flowOf(options)).toEqual(fields)
  })

  it.each([
    [{ perKeyRate: '1/s' }, /without --per-key/],
    [{ perKey: 'k', perKeyRate: 'fast' }, /--per-key-rate is "fast"/],
    [{ maxFailed: 'some' }, /--max-failed is "some"/],
    [{ final: 'x', finalParams: '{}' }, /--final and --final-params/],
    [{ finalParams: '[1]' }, /--final-params is "\[1\]"/],
    [{ testFirst: '0' }, /--test-first is "0"/],
    [{ dependsOn: ['a:b:c'] }, /--depends-on is "a:b:c"/],
    [{ dependsOn: [':x'] }, /--depends-on is ":x"/],
  ])('%j is refused by the name of the option', (options, message) => {
    expect(() => flowOf(options)).toThrow(message)
  })

  it('takes the words of the option where the wire refuses', () => {
    const submit = (options: object) => () => submitInputOf(options, ['x'], world)
    expect(submit({ retryOn: 'all' })).toThrow(/--retry-on is "all"; valid: exit_code, timeout/)
    expect(submit({ dependsOn: ['x'] })).toThrow(/--depends-on/)
    expect(submit({ testFirst: '5000' })).toThrow(/--test-first is 5000, but may be at most 1000/)
    expect(submit({ source: '{"kind":"x"}' })).toThrow(/source\.kind is "x"; valid: glob/)
  })
})

describe('values', () => {
  it.each([
    ['10/60s', { count: 10, interval_s: 60 }],
    ['1/s', { count: 1, interval_s: 1 }],
    ['600/min', { count: 600, interval_s: 60 }],
    ['5 / 2h', { count: 5, interval_s: 7200 }],
    ['3/10', { count: 3, interval_s: 10 }],
  ])('a rate %s', (text, rate) => {
    expect(rateOption('--rate', text)).toEqual(rate)
  })

  it.each(['0/s', '10', 's/10', '-1/s', '1/x'])('no rate: %s', (text) => {
    expect(() => rateOption('--rate', text)).toThrow('--rate')
  })

  it('lists and none', () => {
    expect(integersOption('--x', '3, 7')).toEqual([3, 7])
    expect(() => integersOption('--x', '3,')).toThrow('--x')
    expect(() => integersOption('--x', '-1')).toThrow('--x')
    expect(wordsOption('--x', 'a,b')).toEqual(['a', 'b'])
    expect(orNone('none', Number)).toBeNull()
    expect(orNone('4', Number)).toBe(4)
  })

  it('a dependency', () => {
    expect(dependencyOption('x')).toEqual({ id: 'x' })
    expect(dependencyOption('x::ended')).toEqual({ id: 'x', condition: 'ended' })
    expect(dependencyOption('x:fit')).toEqual({ id: 'x', as: 'fit' })
  })
})

describe('update', () => {
  it('says only what changes; a removed label is null, no limit is null', () => {
    expect(changesOf({}, world.now)).toEqual({})
    expect(
      changesOf(
        { concurrency: 'none', label: ['a=1'], removeLabel: ['b'], close: true, runAt: '1h', dependsOn: [id] },
        world.now,
      ),
    ).toEqual({
      concurrency: null,
      labels: { a: '1', b: null },
      close: true,
      run_at: '2030-01-01T01:00:00.000Z',
      depends_on: [{ id }],
    })
  })
})

describe('send', () => {
  it('splits a long text into pieces that one call takes, no character torn', () => {
    expect(piecesOf('')).toEqual([''])
    expect(piecesOf('abcdef', 4)).toEqual(['abcd', 'ef'])
    const pieces = piecesOf('abc😀def', 4)
    expect(pieces).toEqual(['abc', '😀de', 'f'])
    expect(pieces.join('')).toBe('abc😀def')
  })
})

function sessionIn(environment: NodeJS.ProcessEnv): Session {
  return { environment, client: () => ({}), interrupted: new AbortController().signal } as unknown as Session
}

describe('self', () => {
  it('is the job whose command asks', async () => {
    expect(await typedJobIds(sessionIn({ NIGHTKILN_JOB_ID: id }), ['self'])).toEqual([id])
    expect(await withWholeDependencies(sessionIn({ NIGHTKILN_JOB_ID: id }), { dependsOn: ['self:me'] })).toEqual({
      dependsOn: [`${id}:me`],
    })
  })

  it('is refused anywhere else', async () => {
    await expect(typedJobIds(sessionIn({}), ['self'])).rejects.toThrow(/"self" names no job here/)
  })
})

describe('a call about many jobs', () => {
  const outcomes = (ids: readonly string[]) => ids.map((one) => ({ id: one, outcome: 'paused' }))

  it('is repeated over all ids, 50 at once', async () => {
    const asked: number[] = []
    const ids = Array.from({ length: 120 }, (_, index) => `j${index}`)
    const answer = await forEveryJob({ by: 'ids', ids }, async (some) => {
      const part = 'ids' in some ? some.ids : []
      asked.push(part.length)
      return { jobs: outcomes(part), has_more: false }
    })
    expect(asked).toEqual([50, 50, 20])
    expect(answer.jobs.map((job) => job.id)).toEqual(ids)
  })

  it('is repeated while a filter finds new ones, and ends when it finds none', async () => {
    const pages = [['a', 'b'], ['b', 'c'], ['b', 'c'], ['d']]
    let calls = 0
    const answer = await forEveryJob({ by: 'filter', filter: {} }, async () => {
      const page = pages[calls] ?? []
      calls += 1
      return { jobs: outcomes(page), has_more: true }
    })
    expect(calls).toBe(3)
    expect(answer.jobs.map((job) => job.id)).toEqual(['a', 'b', 'c'])
  })
})
