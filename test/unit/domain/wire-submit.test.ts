import { describe, expect, test } from 'vitest'
import { commandParams, rerunInput, rerunRequest, submitInput, submitRequest } from '../../../src/domain/wire/submit.ts'

const id = '01941f29-7c00-7000-8000-000000000001'
const context = { environment: { PATH: '/usr/bin' }, cwd: '/tmp', submitted_by: 'test 1' }

/** @returns the first issue as `path: message`, or null when the value is accepted */
function refusal(schema: { safeParse(value: unknown): unknown }, value: unknown): string | null {
  const parsed = schema.safeParse(value) as {
    success: boolean
    error?: { issues: { path: PropertyKey[]; message: string }[] }
  }
  const issue = parsed.error?.issues[0]
  return parsed.success ? null : `${issue?.path.join('.')}: ${issue?.message}`
}

describe('commandParams', () => {
  test.each([
    ['argv', { argv: ['ls', '-l', ''] }],
    ['a script', { shell: true, script: 'echo hi | wc -c' }],
    ['shell: false with argv', { shell: false, argv: ['ls'] }],
    ['everything', { argv: ['ls'], cwd: '/', env: { A_1: '', b: 'ü' }, stdin: 'x\0y', success_exit_codes: [0, 255] }],
    ['newlines and quotes', { argv: ['printf', 'a\nb', '"\'$(id)'] }],
  ])('accepts %s', (_name, params) => {
    expect(refusal(commandParams, params)).toBeNull()
  })

  test.each([
    ['nothing', {}, 'argv: is required (or shell: true with script)'],
    ['an empty argv', { argv: [] }, /^argv: /],
    ['10,001 arguments', { argv: Array(10_001).fill('x') }, /^argv: /],
    ['a number as argument', { argv: ['sleep', 5] }, /^argv\.1: /],
    ['a text as argv', { argv: 'ls -l' }, /^argv: /],
    ['shell without script', { shell: true }, 'script: is required with shell: true'],
    ['shell with argv', { shell: true, script: 'ls', argv: ['ls'] }, 'argv: cannot be given together with shell: true'],
    ['script without shell', { script: 'ls' }, /^argv: is required/],
    ['argv and script without shell', { argv: ['ls'], script: 'ls' }, 'script: needs shell: true'],
    ['an empty script', { shell: true, script: '' }, /^script: /],
    ['NUL in argv', { argv: ['ls', 'a\0b'] }, /NUL/],
    ['NUL in the script', { shell: true, script: 'echo \0' }, /NUL/],
    ['NUL in cwd', { argv: ['ls'], cwd: '/tmp\0' }, /NUL/],
    ['NUL in an environment value', { argv: ['ls'], env: { A: '\0' } }, /NUL/],
    ['= in an environment name', { argv: ['ls'], env: { 'A=B': 'x' } }, /^env\.A=B: /],
    ['an empty environment name', { argv: ['ls'], env: { '': 'x' } }, /^env/],
    ['a digit first in an environment name', { argv: ['ls'], env: { '1A': 'x' } }, /^env/],
    ['no success exit code', { argv: ['ls'], success_exit_codes: [] }, /^success_exit_codes: /],
    ['exit code 256', { argv: ['ls'], success_exit_codes: [256] }, /^success_exit_codes\.0: /],
    ['exit code -1', { argv: ['ls'], success_exit_codes: [-1] }, /^success_exit_codes\.0: /],
    ['an unknown key', { argv: ['ls'], timeout: 5 }, /timeout/],
    ['an empty cwd', { argv: ['ls'], cwd: '' }, /^cwd: /],
  ])('refuses %s', (_name, params, expected) => {
    const told = refusal(commandParams, params)
    if (typeof expected === 'string') expect(told).toBe(expected)
    else expect(told).toMatch(expected)
  })
})

describe('submitInput', () => {
  const params = { argv: ['true'] }

  test('makes a command job when no type is given', () => {
    expect(submitInput.parse({ params }).type).toBe('command')
  })

  test.each([
    ['all options', { params, name: 'x', labels: { a: 'b' }, queue: 'a.b_c-1', priority: 'idle', max_attempts: 100 }],
    ['a run_at with an offset', { params, run_at: '2030-01-01T12:00:00+02:00' }],
    ['a zero grace', { params, cancel_grace_s: 0 }],
    ['an empty backoff', { params, backoff: {} }],
    ['a week per attempt', { params, timeout_s: 7 * 86_400 }],
    ['32 labels', { params, labels: Object.fromEntries(Array.from({ length: 32 }, (_, n) => [`l${n}`, ''])) }],
  ])('accepts %s', (_name, input) => {
    expect(refusal(submitInput, input)).toBeNull()
  })

  test.each([
    ['no params', {}, /^params/],
    ['params that are a list', { params: [1] }, /^params/],
    ['an unknown key', { params, nmae: 'x' }, /nmae/],
    ['an empty name', { params, name: '' }, /^name/],
    ['a name of 201 characters', { params, name: 'n'.repeat(201) }, /^name/],
    [
      '33 labels',
      { params, labels: Object.fromEntries(Array.from({ length: 33 }, (_, n) => [`l${n}`, ''])) },
      /^labels: has more than 32/,
    ],
    ['a label of 257 characters', { params, labels: { a: 'x'.repeat(257) } }, /^labels\.a/],
    ['a label that is a number', { params, labels: { a: 1 } }, /^labels\.a/],
    ['a queue with a slash', { params, queue: '../x' }, /^queue/],
    ['an unknown priority', { params, priority: 'high' }, /^priority/],
    ['a run_at in words', { params, run_at: 'tomorrow' }, /^run_at/],
    ['a run_at without an offset', { params, run_at: '2030-01-01T12:00:00' }, /^run_at/],
    ['no attempt', { params, max_attempts: 0 }, /^max_attempts/],
    ['101 attempts', { params, max_attempts: 101 }, /^max_attempts/],
    ['half an attempt', { params, max_attempts: 1.5 }, /^max_attempts/],
    ['a timeout of 0', { params, timeout_s: 0 }, /^timeout_s/],
    ['a timeout of a week and a second', { params, timeout_s: 7 * 86_400 + 1 }, /^timeout_s/],
    ['a timeout that is not a number', { params, timeout_s: Number.NaN }, /^timeout_s/],
    ['an endless timeout', { params, idle_timeout_s: Number.POSITIVE_INFINITY }, /^idle_timeout_s/],
    ['a grace of 61 s', { params, cancel_grace_s: 61 }, /^cancel_grace_s/],
    ['a shrinking backoff', { params, backoff: { factor: 0.5 } }, /^backoff\.factor/],
    ['4095 bytes of output', { params, max_output_bytes: 4095 }, /^max_output_bytes/],
    ['an empty idempotency key', { params, idempotency_key: '' }, /^idempotency_key/],
    ['a key of 201 characters', { params, idempotency_key: 'k'.repeat(201) }, /^idempotency_key/],
  ])('refuses %s', (_name, input, expected) => {
    expect(refusal(submitInput, input)).toMatch(expected)
  })
})

describe('requests to the manager', () => {
  test('a submit needs a key and a context', () => {
    const input = { params: { argv: ['true'] } }
    expect(refusal(submitRequest, { ...input, idempotency_key: 'k', context })).toBeNull()
    expect(refusal(submitRequest, { ...input, context })).toMatch(/^idempotency_key/)
    expect(refusal(submitRequest, { ...input, idempotency_key: 'k' })).toMatch(/^context/)
    expect(refusal(submitRequest, { ...input, idempotency_key: 'k', context: { ...context, uid: 0 } })).toMatch(/uid/)
  })

  test('a rerun takes overrides, but neither another type nor a second key in them', () => {
    expect(refusal(rerunInput, { id, overrides: { max_attempts: 3, params: { stdin: 'x' } } })).toBeNull()
    expect(refusal(rerunInput, { id, overrides: { type: 'other' } })).toMatch(/type/)
    expect(refusal(rerunInput, { id, overrides: { idempotency_key: 'k' } })).toMatch(/idempotency_key/)
    expect(refusal(rerunRequest, { id, idempotency_key: 'k', context })).toBeNull()
    expect(refusal(rerunRequest, { id: 'latest', idempotency_key: 'k', context })).toMatch(/^id: is not a job id/)
  })
})
