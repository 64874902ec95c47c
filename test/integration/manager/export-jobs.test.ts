import { existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { exportRequest } from '../../../src/domain/wire/history.ts'
import { exportJobs } from '../../../src/manager/services/export-jobs.ts'
import { jobIdOf, newJob, start, submit } from '../../conformance/support/jobs.ts'
import { openHistory } from './history-under-test.ts'

const call = (history: ReturnType<typeof openHistory>, request: Record<string, unknown>) =>
  exportJobs(history.context, exportRequest.parse(request))

/** Reads CSV as RFC 4180 has it. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = []
  const row: string[] = []
  for (const match of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    row.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '')
    if (match[3] !== ',') rows.push(row.splice(0))
  }
  return rows
}

test('JSON lines: one object a job, newest first, in a new private file below the state directory', async () => {
  const history = openHistory()
  history.complete(1, start, { name: 'first', labels: { a: 'b' }, params: { argv: ['x'] } })
  submit(history.store, newJob(2, { name: 'second' }))
  const answer = await call(history, {})
  expect(answer.file.startsWith(join(history.context.facts.home, 'exports', 'jobs-2030-01-01T'))).toBe(true)
  expect(statSync(answer.file).mode & 0o777).toBe(0o600)
  const text = readFileSync(answer.file, 'utf8')
  expect(Buffer.byteLength(text)).toBe(answer.bytes)
  const rows = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  expect(rows).toMatchObject([
    { id: jobIdOf(2), name: 'second', state: 'queued', finished_at: null },
    { id: jobIdOf(1), name: 'first', state: 'completed', labels: { a: 'b' }, params: { argv: ['x'] }, units: 1 },
  ])
  expect(answer.rows).toBe(2)
  expect(answer.untrusted_preview).toBe(text)
})

test('CSV: every cell comes back as it was, and none is a formula', async () => {
  const history = openHistory()
  const names = ['a "quoted", name', 'two\nlines', '=1+1', '+1', '-1', '@sum', '=cmd|\' /C calc\'!A0,"x"', 'plain']
  for (const [index, name] of names.entries()) history.complete(index + 1, start, { name })
  const answer = await call(history, { format: 'csv' })
  const [head, ...rows] = parseCsv(readFileSync(answer.file, 'utf8'))
  const column = head?.indexOf('name') ?? -1
  const cells = rows.map((row) => row[column] ?? '').reverse()
  expect(cells).toEqual(names.map((name) => (/^[=+\-@]/.test(name) ? `'${name}` : name)))
  expect(rows.every((row) => row.length === head?.length)).toBe(true)
})

test('Markdown: a table that no cell breaks', async () => {
  const history = openHistory()
  history.complete(1, start, { name: 'a | b\nc <img src=x>' })
  const answer = await call(history, { format: 'markdown' })
  const lines = readFileSync(answer.file, 'utf8').trimEnd().split('\n')
  expect(lines).toHaveLength(3)
  expect(lines[2]).toContain('| a \\| b c \\<img src=x> |')
})

test('units: one row each, with input, result and error', async () => {
  const history = openHistory()
  history.complete(1, start)
  submit(history.store, newJob(2, {}, 450))
  const answer = await call(history, { what: 'units', file: join(history.context.facts.home, 'units.jsonl') })
  expect(answer.rows).toBe(451)
  const rows = readFileSync(answer.file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  expect(rows.slice(0, 450).map((row) => row['unit'])).toEqual(Array.from({ length: 450 }, (_, position) => position))
  expect(rows[450]).toMatchObject({
    job_id: jobIdOf(1),
    state: 'completed',
    input: { position: 0 },
    result: { number: 1 },
  })
})

test('pages neither lose nor repeat a job, and the preview stays small', async () => {
  const history = openHistory()
  history.store.atomically(() => {
    for (let number = 1; number <= 450; number += 1) submit(history.store, newJob(number))
  })
  const answer = await call(history, {})
  const ids = readFileSync(answer.file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { id: string }).id)
  expect(ids).toEqual(Array.from({ length: 450 }, (_, index) => jobIdOf(450 - index)))
  expect(Buffer.byteLength(answer.untrusted_preview)).toBeLessThanOrEqual(2_048)
  expect(answer.untrusted_preview.endsWith('\n')).toBe(true)
})

test('by ids and by filter', async () => {
  const history = openHistory()
  for (const number of [1, 2, 3]) history.complete(number, start, { labels: { batch: String(number) } })
  expect((await call(history, { ids: [jobIdOf(2), jobIdOf(9)] })).rows).toBe(1)
  history.clock.advance(5)
  expect((await call(history, { filter: { labels: { batch: '3' } } })).rows).toBe(1)
  await expect(call(history, { ids: [jobIdOf(9)] })).rejects.toMatchObject({ code: 'job_not_found' })
})

test('nothing is overwritten, not even through a link, and a bad path is named', async () => {
  const history = openHistory()
  history.complete(1, start)
  const { home } = history.context.facts
  const taken = join(home, 'taken.csv')
  writeFileSync(taken, 'mine')
  symlinkSync(join(home, 'elsewhere'), join(home, 'link.csv'))
  for (const file of [taken, join(home, 'link.csv'), join(home, 'no', 'such.csv'), 'relative.csv', home]) {
    await expect(call(history, { file })).rejects.toMatchObject({ code: 'invalid_input' })
  }
  expect(readFileSync(taken, 'utf8')).toBe('mine')
  expect(existsSync(join(home, 'elsewhere'))).toBe(false)
})

test('an export that fails leaves no file behind', async () => {
  const history = openHistory()
  history.complete(1, start)
  const file = join(history.context.facts.home, 'half.jsonl')
  const context = {
    ...history.context,
    reader: { ...history.reader, listJobs: () => Promise.reject(new Error('gone')) },
  }
  await expect(exportJobs(context, exportRequest.parse({ file }))).rejects.toThrow('gone')
  expect(existsSync(file)).toBe(false)
})
