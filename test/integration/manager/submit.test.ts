import { describe, expect, test } from 'vitest'
import { useManager } from './manager-under-test.ts'

const manager = useManager()
const later = { run_at: '2099-01-01T00:00:00Z' }

describe('idempotency', () => {
  test('the same key and content answers the same job and says so', async () => {
    const input = { params: { argv: ['true'], cwd: '/tmp' }, idempotency_key: 'same', ...later }
    const first = await manager.submit(input)
    const second = await manager.submit({ ...input, params: { cwd: '/tmp', argv: ['true'] } })
    expect(first.existing).toBe(false)
    expect(second).toMatchObject({ id: first.id, existing: true, submitted_at: first.submitted_at })
  })

  test('the same key with other content is a conflict that names the first job', async () => {
    const first = await manager.submit({ params: { argv: ['true'] }, idempotency_key: 'conflict', ...later })
    const again = manager.submit({ params: { argv: ['false'] }, idempotency_key: 'conflict', ...later })
    await expect(again).rejects.toMatchObject({
      code: 'idempotency_conflict',
      message: expect.stringContaining(first.id),
    })
  })

  test('a hundred callers with one key get one job', async () => {
    const input = { params: { argv: ['true'] }, idempotency_key: 'hundred', ...later }
    const answers = await Promise.all(Array.from({ length: 100 }, () => manager.submit(input)))
    expect(new Set(answers.map((answer) => answer.id)).size).toBe(1)
    expect(answers.filter((answer) => !answer.existing)).toHaveLength(1)
  })
})

describe('bad input is refused at the edge, by name', () => {
  test.each([
    ['a NUL', { argv: ['echo', 'a\0b'] }, 'NUL'],
    ['an empty argv', { argv: [] }, 'params.argv'],
    ['neither argv nor script', {}, 'params.argv'],
    ['a script without shell: true', { argv: ['true'], script: 'true' }, 'params.script'],
    ['a relative cwd', { argv: ['true'], cwd: 'here' }, '"here"'],
    ['an unknown parameter', { argv: ['true'], comand: 'x' }, 'comand'],
    ['a bad variable name', { argv: ['true'], env: { 'A B': 'x' } }, 'params.env'],
  ])('%s', async (_what, params, named) => {
    await expect(manager.submit({ params })).rejects.toMatchObject({
      code: 'invalid_input',
      message: expect.stringContaining(named),
    })
  })

  test('an unknown type, with the types that exist', async () => {
    const submit = manager.submit({ type: 'comand', params: {} })
    await expect(submit).rejects.toMatchObject({
      code: 'unknown_job_type',
      message: expect.stringContaining('there is: command'),
    })
  })

  test('no cwd from a client that runs in / or HOME', async () => {
    const submit = manager.submit({ params: { argv: ['true'] } }, null)
    await expect(submit).rejects.toMatchObject({
      code: 'invalid_input',
      message: expect.stringContaining('params.cwd is missing'),
    })
  })

  test('parameters over the limit', async () => {
    const submit = manager.submit({ params: { argv: ['echo', 'x'.repeat(1024 * 1024)] } })
    await expect(submit).rejects.toMatchObject({ code: 'limit_exceeded' })
  })
})

describe('parameters that were meant otherwise are explained', () => {
  test.each<[string, Record<string, unknown>, string, string]>([
    [
      'a text as argv',
      { argv: 'npm test' },
      'params.argv is text, but must be a list: ["npm","test"]',
      'Give "argv": ["npm","test"], or "shell": true, "script": "npm test".',
    ],
    [
      'a limit inside params',
      { argv: ['true'], timeout_s: 60 },
      '"timeout_s" belongs beside params, not in it',
      'Give {"params":{…},"timeout_s":60}.',
    ],
  ])('%s', async (_what, params, message, remedy) => {
    await expect(manager.submit({ params: params as never })).rejects.toMatchObject({ message, remedy })
  })
})

describe('notes and next', () => {
  test('of a later start say when, and not to wait', async () => {
    const { id, notes, next } = await manager.submit({ params: { argv: ['true'] }, run_at: '2099-01-01T00:00:00Z' })
    expect(notes[0]).toMatch(/^It starts at 2099-01-01 00:00 UTC, in \d+ d/)
    const expected = 'It starts at 2099-01-01 00:00 UTC; do not wait for it. whats_new {} finds it in any later chat.'
    expect(next).toBe(expected)
    expect((await manager.client.call('job_status', { ids: [id] })).next).toBe(expected)
  })

  test('of a start in the past say that it starts now', async () => {
    const { notes, next } = await manager.submit({ params: { argv: ['true'] }, run_at: '2020-01-01T00:00:00Z' })
    expect(notes[0]).toBe('Its start time 2020-01-01 00:00 UTC has passed: it starts now.')
    expect(next).not.toContain('do not wait')
  })

  test('of a directory that does not exist yet say so, and the job is taken', async () => {
    const { notes } = await manager.submit({ params: { argv: ['true'], cwd: '/nowhere/yet' }, ...later })
    expect(notes).toContain(
      'Its directory /nowhere/yet does not exist now; it fails unless that is made before it starts.',
    )
    const there = await manager.submit({ params: { argv: ['true'], cwd: '/tmp' }, ...later })
    expect(there.notes.join(' ')).not.toContain('does not exist')
  })
})

describe('what runs', () => {
  test('the command gets the client environment, its own additions and the marks, and no secrets', async () => {
    const job = await manager.run('echo "$EXTRA|$NIGHTKILN_ATTEMPT|$NIGHTKILN_JOB_ID|${PATH:+path}"; pwd', {
      params: { env: { EXTRA: 'given' } },
    })
    const { untrusted_output: output } = await manager.client.call('job_logs', { id: job.id })
    expect(output).toBe(`given|1|${job.id}|path\n${manager.home}\n`)
  })

  test('an exit code that counts as success', async () => {
    expect(await manager.run('exit 3', { params: { success_exit_codes: [0, 3] } })).toMatchObject({
      state: 'completed',
      result: { exit_code: 3 },
    })
  })

  test('a failure is not retried unless asked, and says why', async () => {
    const job = await manager.run('echo broken pipe dream; exit 7')
    expect(job).toMatchObject({ state: 'failed', attempts: 1, why: 'failed after 1 attempt: exit code 7' })
    expect(job.error).toMatchObject({ code: 'command_failed', untrusted_output_tail: 'broken pipe dream\n' })
  })

  test('retries until it works when asked', async () => {
    const script = '[ -e tried ] && exit 0; touch tried; exit 1'
    const job = await manager.run(script, { max_attempts: 3, backoff: { initial_s: 0.01 } })
    expect(job).toMatchObject({ state: 'completed', attempts: 2 })
    const { jobs } = await manager.client.call('job_status', { ids: [job.id], detail: 'full' })
    expect(jobs[0]?.attempt_history).toMatchObject([
      { attempt: 1, outcome: 'failed', exit_code: 1 },
      { attempt: 2, outcome: 'completed', exit_code: 0 },
    ])
  })

  test('a timeout ends it and is recorded as what it was', async () => {
    const job = await manager.run('sleep 600', { timeout_s: 0.2, cancel_grace_s: 0.2 })
    expect(job).toMatchObject({
      state: 'failed',
      error: { code: 'attempt_timed_out', message: 'ran longer than 200 ms (timeout_s)' },
    })
  })

  test('silence beyond the idle timeout ends it', async () => {
    const job = await manager.run('echo start; sleep 600', { idle_timeout_s: 0.4, cancel_grace_s: 0.2 })
    expect(job).toMatchObject({
      state: 'failed',
      error: { message: 'no output or progress for 400 ms (idle_timeout_s)' },
    })
  })

  test('run_at in the future waits', async () => {
    const { job } = await manager.submit({ params: { argv: ['true'] }, ...later })
    expect(job).toMatchObject({ state: 'scheduled', attempts: 0 })
    expect(job.why).toContain('2099-01-01 00:00 UTC')
  })

  test('run_at soon starts by itself', async () => {
    const { id } = await manager.submit({
      params: { argv: ['true'] },
      run_at: new Date(Date.now() + 300).toISOString(),
    })
    expect(await manager.ended(id)).toMatchObject({ state: 'completed' })
  })
})
