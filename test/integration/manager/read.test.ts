import { describe, expect, test } from 'vitest'
import { useManager } from './manager-under-test.ts'

const manager = useManager()
const later = { run_at: '2099-01-01T00:00:00Z' }
const unknownId = '01a20000-0000-7000-8000-000000000000'

describe('list_jobs', () => {
  test('a row stays a row: a long reason is cut there, and whole in job_status', async () => {
    const labels = { row: 'long' }
    const { id } = await manager.submit({ params: { argv: [`no-such-${'x'.repeat(300)}`] }, labels })
    const { why } = await manager.ended(id)
    expect(why.length).toBeGreaterThan(300)
    const { jobs } = await manager.client.call('list_jobs', { labels })
    expect(jobs.map((job) => job.why)).toEqual([`${why.slice(0, 159)}…`])
  })

  test('pages through everything once, newest first, and keeps to its filter', async () => {
    const labels = { page: 'yes' }
    for (let number = 0; number < 25; number += 1)
      await manager.submit({ params: { argv: ['true', String(number)] }, labels, ...later })
    const seen: string[] = []
    let cursor: string | null = null
    do {
      const page: Awaited<ReturnType<typeof list>> = await list(cursor)
      seen.push(...page.jobs.map((job) => job.name))
      cursor = page.next_cursor
    } while (cursor !== null)
    expect(seen).toEqual(Array.from({ length: 25 }, (_, number) => `true ${24 - number}`))

    function list(at: string | null) {
      return manager.client.call('list_jobs', { labels, limit: 10, ...(at === null ? {} : { cursor: at }) })
    }
  })

  test('a cursor of another filter, or none at all, is refused', async () => {
    for (let number = 0; number < 3; number += 1)
      await manager.submit({ params: { argv: ['true'] }, labels: { cursor: 'x' }, ...later })
    const { next_cursor: cursor } = await manager.client.call('list_jobs', { labels: { cursor: 'x' }, limit: 1 })
    const other = manager.client.call('list_jobs', { labels: { cursor: 'y' }, cursor: cursor ?? '' })
    await expect(other).rejects.toMatchObject({ code: 'invalid_input', message: 'cursor belongs to another filter' })
    await expect(manager.client.call('list_jobs', { cursor: 'nonsense' })).rejects.toMatchObject({
      code: 'invalid_input',
    })
  })

  test('finds words in names, labels, parameters and errors; quotes and operators are only words', async () => {
    const wanted = await manager.submit({ params: { argv: ['true'] }, name: 'Quarterly façade report', ...later })
    const failed = await manager.run('echo; exit 41')
    const find = async (text: string) => (await manager.client.call('list_jobs', { text })).jobs.map((job) => job.id)
    expect(await find('quart facade')).toEqual([wanted.id])
    expect(await find('"exit code 41"')).toContain(failed.id)
    expect(await find('NEAR( OR AND -"')).toEqual([])
  })

  test('states and their groups', async () => {
    const done = await manager.run('true')
    const waiting = await manager.submit({ params: { argv: ['true'] }, labels: { group: 'g' }, ...later })
    const finished = await manager.client.call('list_jobs', { states: ['finished'], limit: 100 })
    const unfinished = await manager.client.call('list_jobs', { states: ['unfinished'], labels: { group: 'g' } })
    expect(finished.jobs.map((job) => job.id)).toContain(done.id)
    expect(unfinished.jobs.map((job) => job.id)).toEqual([waiting.id])
  })
})

describe('job_status', () => {
  test('known and unknown ids in one call', async () => {
    const { id } = await manager.submit({ params: { argv: ['true'] }, ...later })
    const answer = await manager.client.call('job_status', { ids: [unknownId, id] })
    expect(answer.jobs.map((job) => job.id)).toEqual([id])
    expect(answer.missing).toEqual([unknownId])
  })

  test('nothing known is an error that says where to look', async () => {
    const status = manager.client.call('job_status', { ids: [unknownId] })
    await expect(status).rejects.toMatchObject({ code: 'job_not_found', remedy: expect.stringContaining('list_jobs') })
  })
})

describe('job_logs', () => {
  test('tail, head, range, lines and grep', async () => {
    const job = await manager.run('i=1; while [ $i -le 300 ]; do echo "line $i"; i=$((i+1)); done')
    const logs = (request: object) => manager.client.call('job_logs', { id: job.id, ...request })
    expect((await logs({ max_lines: 2 })).untrusted_output).toBe('line 299\nline 300')
    expect((await logs({ mode: 'head', max_bytes: 14 })).untrusted_output).toBe('line 1\nline 2\n')
    const head = await logs({ mode: 'head', max_bytes: 7 })
    expect((await logs({ mode: 'range', offset: head.next_offset, max_bytes: 7 })).untrusted_output).toBe('line 2\n')
    expect((await logs({ grep: 'line 29', max_lines: 3 })).untrusted_output).toBe('line 297\nline 298\nline 299')
  })

  test('pages are cut between characters, and together they are everything', async () => {
    const job = await manager.run("i=0; while [ $i -lt 40 ]; do printf 'aé漢😀'; i=$((i+1)); done")
    let text = ''
    let offset = 0
    for (;;) {
      const page = await manager.client.call('job_logs', { id: job.id, mode: 'range', offset, max_bytes: 7 })
      text += page.untrusted_output
      offset = page.next_offset
      if (offset >= page.total_bytes) break
    }
    expect(text).toBe('aé漢😀'.repeat(40))
    const tail = await manager.client.call('job_logs', { id: job.id, mode: 'tail', max_bytes: 6 })
    expect(tail.untrusted_output).toBe('😀')
  })

  test('control characters arrive as text', async () => {
    const job = await manager.run("printf 'a\\033[2Jb\\007'")
    expect((await manager.client.call('job_logs', { id: job.id })).untrusted_output).toBe('a\\x1b[2Jb\\x07')
  })

  test('a job that has not started has no output yet, and an attempt that never was is refused', async () => {
    const { id } = await manager.submit({ params: { argv: ['true'] }, ...later })
    expect(await manager.client.call('job_logs', { id })).toMatchObject({ attempt: 0, untrusted_output: '' })
    await expect(manager.client.call('job_logs', { id, attempt: 2 })).rejects.toMatchObject({ code: 'unit_not_found' })
    await expect(manager.client.call('job_logs', { id, unit: 1 })).rejects.toMatchObject({ code: 'unit_not_found' })
  })
})

test('job_result: null with the reason while unfinished, whole when completed, its beginning when too large', async () => {
  const { id } = await manager.submit({ params: { argv: ['true'] }, ...later })
  expect(await manager.client.call('job_result', { id })).toMatchObject({
    final: false,
    result: null,
    state: 'scheduled',
  })
  const job = await manager.run('seq 1 500')
  expect(await manager.client.call('job_result', { id: job.id })).toMatchObject({
    truncated: false,
    result: { exit_code: 0 },
  })
  const small = await manager.client.call('job_result', { id: job.id, max_bytes: 100 })
  expect(small.truncated).toBe(true)
  expect(small.result).toMatch(/^\{"exit_code":0/)
})

test('queue_status counts what the rows say', async () => {
  const before = await manager.client.call('queue_status', {})
  await manager.run('true')
  const after = await manager.client.call('queue_status', {})
  expect(after.jobs.completed).toBe(before.jobs.completed + 1)
  expect(after.last_24h.completed).toBe(before.last_24h.completed + 1)
  expect(after.manager.state_directory).toBe(manager.home)
  expect(after.storage).toMatchObject({ healthy: true, accepting_jobs: true })
})
