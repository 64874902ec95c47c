import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { uuidv7 } from 'uuidv7'
import { describe, expect, test } from 'vitest'
import { unitSource } from '../../../src/domain/wire/units.ts'
import { prepareUnits } from '../../../src/manager/services/job-units.ts'
import {
  discardSource,
  removeOrphanSpools,
  type SpoolContext,
  spoolSource,
} from '../../../src/manager/services/source-spool.ts'
import { useTemporaryHome } from '../../support/temporary-home.ts'

function open(files: Readonly<Record<string, string>> = {}) {
  const { home } = useTemporaryHome()
  const data = join(home, 'data')
  mkdirSync(data)
  for (const [name, text] of Object.entries(files)) writeFileSync(join(data, name), text)
  const context = { facts: { home }, createId: uuidv7 } as unknown as SpoolContext
  const spool = (source: unknown, limits: { limitMs?: number; heapMegabytes?: number } = {}) =>
    spoolSource(context, unitSource.parse(source), data, limits)
  const left = () => (existsSync(join(home, 'sources')) ? readdirSync(join(home, 'sources')) : [])
  return { home, data, context, spool, left }
}

describe('a source', () => {
  test('is written as lines of JSON, for its owner alone', async () => {
    const { home, spool } = open({ 'x.csv': 'a,b\n1,"x\ny"\n2,é\n' })
    const { file, total, first } = await spool({ kind: 'csv', file: join(home, 'data/x.csv') })
    expect({ total, first }).toEqual({ total: 2, first: { a: '1', b: 'x\ny' } })
    expect(file).toMatch(/^sources\/[0-9a-f-]+\.jsonl$/)
    expect(readFileSync(join(home, file), 'utf8')).toBe('{"a":"1","b":"x\\ny"}\n{"a":"2","b":"é"}\n')
    expect(statSync(join(home, file)).mode & 0o777).toBe(0o600)
  })

  test('of files looks in the directory of the job, or in its root', async () => {
    const { home, data, spool } = open({ 'a.txt': '1', 'b.md': '' })
    expect((await spool({ kind: 'glob', pattern: '*.txt' })).first).toMatchObject({
      path: join(data, 'a.txt'),
      bytes: 1,
    })
    expect((await spool({ kind: 'glob', pattern: 'data/*', root: home, exclude: ['**/*.txt'] })).total).toBe(1)
  })

  test.each([
    [{ kind: 'glob', pattern: '*.pdf' }, 'invalid_input', 'nothing matches "*.pdf" below'],
    [{ kind: 'lines', file: '/nowhere/x' }, 'invalid_input', 'the file /nowhere/x does not exist'],
    [{ kind: 'lines', file: 'FOLDER/empty' }, 'invalid_input', 'has no lines'],
    [{ kind: 'csv', file: 'FOLDER/header' }, 'invalid_input', 'has no records below its header'],
    [{ kind: 'json', file: 'FOLDER/json', path: 'a' }, 'invalid_input', 'the array "a"'],
    [{ kind: 'sqlite', file: 'FOLDER/json', query: 'SELECT 1' }, 'invalid_input', 'cannot be opened as an SQLite'],
    [{ kind: 'lines', file: 'FOLDER/many' }, 'limit_exceeded', 'more than 1000000 units'],
    [{ kind: 'lines', file: 'FOLDER/long' }, 'invalid_input', 'line 2 of'],
  ])('%j is refused', async (source, code, message) => {
    const { data, spool, left } = open({
      empty: '\n\n',
      header: 'a,b\n',
      json: '{"a":[]}',
      many: 'x\n'.repeat(1_000_001),
      long: `a\n${'x'.repeat(1_048_577)}\n`,
    })
    const given = JSON.parse(JSON.stringify(source).replace('FOLDER', data)) as unknown
    await expect(spool(given)).rejects.toMatchObject({ code, message: expect.stringContaining(message) as string })
    expect(left()).toEqual([])
  })

  test('that takes too long is ended, with its file', async () => {
    const { data, spool, left } = open()
    execFileSync('mkfifo', [join(data, 'fifo')])
    await expect(spool({ kind: 'lines', file: join(data, 'fifo') })).rejects.toThrow('not a plain file')
    const endless = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) AS c FROM n'
    execFileSync(process.execPath, [
      '-e',
      `new (require('better-sqlite3'))(${JSON.stringify(join(data, 'x.db'))}).exec('CREATE TABLE t (a)')`,
    ])
    await expect(
      spool({ kind: 'sqlite', file: join(data, 'x.db'), query: endless }, { limitMs: 1_500 }),
    ).rejects.toMatchObject({
      code: 'limit_exceeded',
      message: expect.stringContaining('not read within') as string,
    })
    expect(left()).toEqual([])
  })

  test('that takes too much memory is refused, and nothing of the manager is in danger', async () => {
    const { data, spool, left } = open()
    writeFileSync(join(data, 'x.json'), `[${'[],'.repeat(3_000_000)}[]]`)
    await expect(spool({ kind: 'json', file: join(data, 'x.json') }, { heapMegabytes: 32 })).rejects.toMatchObject({
      code: 'limit_exceeded',
      message: expect.stringContaining('memory') as string,
    })
    expect(left()).toEqual([])
  })
})

describe('units of a submit', () => {
  test('few are given with the job, the same key once', async () => {
    const { context, left } = open()
    const units = [{ url: 'a' }, { url: 'b' }, { url: 'a' }]
    const prepared = await prepareUnits(context, { units, unit_key: '{{unit.url}}' }, null)
    expect(prepared.units.map(({ input, key }) => [input, key])).toEqual([
      [{ url: 'a' }, 'a'],
      [{ url: 'b' }, 'b'],
    ])
    expect(prepared).toMatchObject({ source: null, first: { url: 'a' } })
    expect(prepared.notes.join()).toContain('1 of 3 units')
    expect(left()).toEqual([])
  })

  test('a plain job has one without value, an open one none', async () => {
    const { context } = open()
    expect(await prepareUnits(context, {}, null)).toMatchObject({
      units: [{ input: null }],
      source: null,
      first: undefined,
    })
    expect(await prepareUnits(context, { keep_open: true }, null)).toMatchObject({ units: [], first: undefined })
  })

  test('many become a list, very many a file, a range neither', async () => {
    const { home, context } = open()
    const words = (count: number) => Array.from({ length: count }, (_, index) => `unit number ${index}`)
    const list = await prepareUnits(context, { units: words(101) }, null)
    expect(list.source).toMatchObject({ kind: 'list', total: 101 })
    const file = await prepareUnits(context, { units: words(10_000) }, null)
    expect(file).toMatchObject({ units: [], first: 'unit number 0', source: { kind: 'spool', total: 10_000 } })
    if (file.source?.kind !== 'spool') throw new Error('no file')
    expect(readFileSync(join(home, file.source.file), 'utf8').split('\n')).toHaveLength(10_001)
    discardSource(context, file.source)
    expect(existsSync(join(home, file.source.file))).toBe(false)
    const range = await prepareUnits(context, { source: { kind: 'range', from: 1, to: 10, step: 3 } }, null)
    expect(range).toMatchObject({ source: { kind: 'range', from: 1, step: 3, total: 4 }, first: 1 })
  })

  test('with a test phase all come from a source, so that no more than the test units are added', async () => {
    const { context } = open()
    const prepared = await prepareUnits(context, { units: [1, 2, 3], test_first: 1 }, null)
    expect(prepared).toMatchObject({ units: [], source: { kind: 'list', total: 3 }, first: 1 })
  })

  test.each([
    [{ units: [{ url: 'a' }, { uri: 'b' }], unit_key: '{{unit.url}}' }, 'unit 1: {{unit.url}} in unit_key'],
    [{ units: [1], unit_key: 'constant' }, 'is the same for every unit'],
    [{ units: [1], unit_key: '{{index}}' }, 'only unit can'],
    [{ units: ['x'.repeat(1_048_577)] }, 'unit 0 is larger'],
    [{ source: { kind: 'range' as const, from: 1, to: 3, step: 1 }, unit_key: '{{unit.x}}' }, 'is a number'],
    [{ units: Array(200).fill('x'.repeat(1_000)), per_key: { key: '{{unit.host}}' } }, 'per_key.key'],
  ])('%# is refused, and leaves no file', async (request, message) => {
    const { context, left } = open()
    await expect(prepareUnits(context, request, null)).rejects.toThrow(message)
    expect(left()).toEqual([])
  })
})

test('files that no source refers to are removed, but for young ones', async () => {
  const { home } = open()
  mkdirSync(join(home, 'sources'))
  for (const name of ['open', 'orphan', 'young', 'half.tmp']) writeFileSync(join(home, 'sources', name), '')
  const old = new Date(Date.now() - 3_600_000)
  for (const name of ['open', 'orphan', 'half.tmp']) utimesSync(join(home, 'sources', name), old, old)
  expect(await removeOrphanSpools(home, new Set(['sources/open']))).toBe(2)
  expect(readdirSync(join(home, 'sources')).sort()).toEqual(['open', 'young'])
})
