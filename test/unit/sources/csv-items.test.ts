import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { csvItems } from '../../../src/sources/csv-items.ts'
import { allOf, inPieces } from './support.ts'

const read = (text: string, options: { delimiter?: string; header?: boolean; pieces?: number } = {}) =>
  allOf(
    csvItems(inPieces(text, options.pieces), {
      file: '/data/x.csv',
      delimiter: options.delimiter ?? ',',
      header: options.header ?? true,
    }),
  )

describe('csv', () => {
  test.each([1, 2, 3, 1000])('in pieces of %d characters', async (pieces) => {
    const text = 'name,note\r\nAnn,"a ""b"", c"\r\n"two\r\nlines",\n\n"",x\r\n'
    expect(await read(text, { pieces })).toEqual([
      { name: 'Ann', note: 'a "b", c' },
      { name: 'two\r\nlines', note: '' },
      { name: '', note: 'x' },
    ])
  })

  test('without header gives arrays, and keeps numbers as text', async () => {
    expect(await read('1;02\n3;"4;5"', { header: false, delimiter: ';' })).toEqual([
      ['1', '02'],
      ['3', '4;5'],
    ])
  })

  test('has nothing in an empty file or below a header alone', async () => {
    expect(await read('')).toEqual([])
    expect(await read('a,b\n')).toEqual([])
  })

  test.each([
    ['a,b\n1,2\n3\n', 'line 3 of /data/x.csv has 1 fields; the first line has 2'],
    ['a,b\n"x\ny",1\n1,2,3', 'line 4 of /data/x.csv has 3 fields'],
    ['a,b\n1,"2\n3,4\n', 'line 2 of /data/x.csv begins with a quote that is never closed'],
    ['a,b\n1,2"3\n', 'line 2 of /data/x.csv has a quote within a field'],
    ['a,b\n"1"2,3\n', 'line 2 of /data/x.csv has text behind a closing quote'],
    ['a,b,a\n', 'two columns are named "a"'],
    ['a,,b\n', 'column 2 has no name'],
    ['a,__proto__\n', '"__proto__" is not a possible name'],
    ['a\n1\0\n', 'line 2 of /data/x.csv holds a NUL character'],
    ['a,b\n1\r,2\n', 'line 2 of /data/x.csv holds a carriage return'],
    [`a\n"${'x\n'.repeat(600_000)}`, 'line 2 of /data/x.csv begins a record of more than'],
  ])('%# is refused', async (text, message) => {
    await expect(read(text)).rejects.toThrow(message)
  })

  test('a quote or line end is no delimiter', async () => {
    await expect(read('a', { delimiter: '"' })).rejects.toThrow('delimiter')
  })

  test('reads back whatever was written, however it is cut', async () => {
    const field = fc.string({ maxLength: 8, unit: fc.constantFrom('a', ',', '"', '\n', '\r', ' ', ';', 'é', '😀') })
    const table = fc
      .integer({ min: 2, max: 4 })
      .chain((width) =>
        fc.array(fc.array(field, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 6 }),
      )
    const written = (rows: string[][], end: string) =>
      rows.map((row) => row.map((text) => `"${text.replaceAll('"', '""')}"`).join(',')).join(end)
    await fc.assert(
      fc.asyncProperty(
        table,
        fc.constantFrom('\n', '\r\n'),
        fc.integer({ min: 1, max: 9 }),
        async (rows, end, pieces) => {
          expect(await read(written(rows, end), { header: false, pieces })).toEqual(rows)
        },
      ),
      { numRuns: 300 },
    )
  })

  test('says what is wrong with any text, and the same in one piece and in many', async () => {
    const text = fc.string({ maxLength: 40, unit: fc.constantFrom('a', 'b', ',', '"', '\n', '\r') })
    const outcome = (work: Promise<unknown>) =>
      work.then(
        (rows) => JSON.stringify(rows),
        (error: { code?: string; message: string }) => `${error.code}: ${error.message}`,
      )
    await fc.assert(
      fc.asyncProperty(text, async (given) => {
        const whole = await outcome(read(given, { header: false }))
        expect(whole).toMatch(/^(\[|invalid_input: )/)
        expect(await outcome(read(given, { header: false, pieces: 1 }))).toBe(whole)
      }),
      { numRuns: 1_000 },
    )
  })
})
