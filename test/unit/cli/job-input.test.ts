import { describe, expect, it } from 'vitest'
import { limitsOf, paramsOf, submitInputOf } from '../../../src/cli/job-input.ts'
import { QueueError } from '../../../src/domain/errors.ts'

const world = { cwd: '/home/ada/project', now: Date.UTC(2030, 0, 1) }

describe('the input of a submit', () => {
  it('takes everything behind -- as the program, and the current directory as cwd', () => {
    expect(submitInputOf({ rerunWhenLost: true }, ['make', '-j4', '--', 'x'], world)).toEqual({
      type: 'command',
      params: { argv: ['make', '-j4', '--', 'x'], cwd: '/home/ada/project' },
    })
  })

  it('makes a script of --shell', () => {
    expect(submitInputOf({ shell: 'make && make test' }, [], world).params).toEqual({
      shell: true,
      script: 'make && make test',
      cwd: '/home/ada/project',
    })
  })

  it('maps every option to its field of the wire', () => {
    const input = submitInputOf(
      {
        name: 'nightly',
        label: ['team=web', 'kind=test'],
        queue: 'builds',
        priority: 'urgent',
        runAt: '2h',
        maxAttempts: '3',
        backoffInitial: '10s',
        backoffMax: '5m',
        backoffFactor: '2',
        rerunWhenLost: false,
        timeout: '1h',
        idleTimeout: '90',
        cancelGrace: '10s',
        maxOutput: '64kb',
        cwd: 'sub',
        env: ['CI=1'],
        successExitCode: ['0', '2'],
        stdin: '-',
        key: 'nightly-1',
      },
      ['npm', 'test'],
      { ...world, stdin: 'from the pipe' },
    )
    expect(input).toEqual({
      type: 'command',
      params: {
        argv: ['npm', 'test'],
        cwd: '/home/ada/project/sub',
        env: { CI: '1' },
        success_exit_codes: [0, 2],
        stdin: 'from the pipe',
      },
      name: 'nightly',
      labels: { team: 'web', kind: 'test' },
      queue: 'builds',
      priority: 'urgent',
      run_at: '2030-01-01T02:00:00.000Z',
      max_attempts: 3,
      backoff: { initial_s: 10, max_s: 300, factor: 2 },
      rerun_when_lost: false,
      timeout_s: 3600,
      idle_timeout_s: 90,
      cancel_grace_s: 10,
      max_output_bytes: 65_536,
      idempotency_key: 'nightly-1',
    })
  })

  it('passes parameters of other types as JSON or text', () => {
    const input = submitInputOf(
      { type: 'render', params: '{"a":1,"b":2}', param: ['b=[3]', 'c=plain', 'd="4"'] },
      [],
      world,
    )
    expect(input).toEqual({ type: 'render', params: { a: 1, b: [3], c: 'plain', d: '4' } })
  })

  it.each([
    ['no program', {}, [], /no program/],
    ['a program and a script', { shell: 'true' }, ['true'], /together/],
    ['a program for another type', { type: 'render' }, ['true'], /--type render/],
    ['a wrong priority', { priority: 'now' }, ['true'], /--priority is "now"/],
    ['a queue with a space', { queue: 'a b' }, ['true'], /--queue/],
    ['too many attempts', { maxAttempts: '1000' }, ['true'], /--max-attempts is 1000/],
    ['parameters that are a list', { params: '[1]' }, ['true'], /--params is "\[1\]"/],
    ['parameters that are no JSON', { params: '{' }, ['true'], /--params/],
    ['a file of parameters that is not there', { params: '@nowhere.json' }, ['true'], /nowhere\.json/],
  ])('refuses %s as invalid_input', (_, options, argv, message) => {
    const run = () => submitInputOf(options, argv, world)
    expect(run).toThrow(message)
    expect(run).toThrow(QueueError)
    try {
      run()
    } catch (error) {
      expect((error as QueueError).code).toBe('invalid_input')
    }
  })

  it('says only what was given, so that a rerun overrides nothing else', () => {
    expect(limitsOf({ rerunWhenLost: true, csvHeader: true }, world)).toEqual({})
    expect(paramsOf({}, world.cwd)).toEqual({})
    expect(limitsOf({ timeout: '5m' }, world)).toEqual({ timeout_s: 300 })
  })
})
