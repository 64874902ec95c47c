import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { unitsOf } from '../../../src/cli/unit-options.ts'
import { unitSource } from '../../../src/domain/wire/units.ts'

const cwd = '/home/ada/project'

describe('units on the command line', () => {
  it.each([
    [{ glob: '**/*.pdf' }, { kind: 'glob', pattern: '**/*.pdf', root: cwd }],
    [
      { glob: '*.mov', root: 'films', exclude: ['old/**', '*.tmp'] },
      { kind: 'glob', pattern: '*.mov', root: `${cwd}/films`, exclude: ['old/**', '*.tmp'] },
    ],
    [{ lines: 'urls.txt' }, { kind: 'lines', file: `${cwd}/urls.txt` }],
    [{ lines: '/urls.txt' }, { kind: 'lines', file: '/urls.txt' }],
    [
      { csv: 'a.tsv', csvDelimiter: '\\t', csvHeader: false },
      { kind: 'csv', file: `${cwd}/a.tsv`, delimiter: '\t', header: false },
    ],
    [
      { jsonFile: 'a.json', jsonPath: 'data.items' },
      { kind: 'json', file: `${cwd}/a.json`, path: 'data.items' },
    ],
    [
      { sqlite: 'a.db', query: 'SELECT 1' },
      { kind: 'sqlite', file: `${cwd}/a.db`, query: 'SELECT 1' },
    ],
    [{ range: '1..100' }, { kind: 'range', from: 1, to: 100 }],
    [{ range: '-1..1:0.25' }, { kind: 'range', from: -1, to: 1, step: 0.25 }],
    [{ source: '{"kind":"lines","file":"/x"}' }, { kind: 'lines', file: '/x' }],
  ])('%j is a source that the wire takes', (options, source) => {
    expect(unitsOf({ csvHeader: true, ...options }, cwd)).toEqual({ source })
    expect(unitSource.safeParse(source).success).toBe(true)
  })

  it('a list takes JSON and text, or comes from a file', () => {
    expect(unitsOf({ unit: ['a', '2', '{"b":3}', '"4"'] }, cwd)).toEqual({ units: ['a', 2, { b: 3 }, '4'] })
    const directory = mkdtempSync(join(tmpdir(), 'nk-'))
    onTestFinished(() => rmSync(directory, { recursive: true }))
    writeFileSync(join(directory, 'units.json'), '["a",{"b":1}]')
    expect(unitsOf({ unitsFrom: 'units.json' }, directory)).toEqual({ units: ['a', { b: 1 }] })
    writeFileSync(join(directory, 'object.json'), '{"a":1}')
    expect(() => unitsOf({ unitsFrom: 'object.json' }, directory)).toThrow(/holds no JSON list/)
  })

  it('nothing given says nothing', () => {
    expect(unitsOf({ csvHeader: true }, cwd)).toEqual({})
  })

  it.each([
    [{ unit: ['a'], lines: 'x' }, /--unit and --lines were given together/],
    [{ glob: '*', jsonFile: 'x' }, /--glob and --json-file/],
    [{ root: 'x' }, /--root needs --glob/],
    [{ exclude: ['x'] }, /--exclude needs --glob/],
    [{ sqlite: 'x' }, /--sqlite needs --query/],
    [{ query: 'x' }, /--query needs --sqlite/],
    [{ jsonPath: 'x' }, /--json-path needs --json-file/],
    [{ range: '1-3' }, /--range is "1-3", but must be FROM\.\.TO/],
    [{ range: '1..' }, /--range/],
    [{ source: 'x' }, /--source is "x", but must be a JSON object/],
    [{ unitsFrom: 'nowhere.json' }, /--units-from names .*nowhere\.json, which cannot be read/],
  ])('%j is refused by the name of the option', (options, message) => {
    expect(() => unitsOf(options, cwd)).toThrow(message)
  })
})
