import { describe, expect, test } from 'vitest'
import { createLineSplitter, type Line } from '../../../src/server/line-splitter.ts'

function shown(line: Line): unknown {
  return line.kind === 'line' ? line.bytes.toString('utf8') : { ...line }
}

/** Feeds text in pieces of every length. */
function split(text: string, pieceBytes: number, maxLineBytes: number): readonly unknown[] {
  const splitter = createLineSplitter(maxLineBytes)
  const bytes = Buffer.from(text)
  const lines: Line[] = []
  for (let at = 0; at < bytes.length; at += pieceBytes)
    lines.push(...splitter.push(bytes.subarray(at, at + pieceBytes)))
  return [...lines, ...splitter.end()].map(shown)
}

describe('the line splitter', () => {
  test.each([1, 2, 3, 5, 7, 1_000])('gives whole lines whatever the pieces are (%i bytes)', (pieceBytes) => {
    expect(split('one\n\nzwölf\r\nlast', pieceBytes, 10)).toEqual(['one\n', '\n', 'zwölf\r\n', 'last\n'])
  })

  test.each([1, 4, 1_000])('drops a line over the limit and keeps its id (pieces of %i bytes)', (pieceBytes) => {
    const long = `{"method":"tools/call","params":{"id":7,"text":"${'x'.repeat(100)}\\""},"id":"call-1"}`
    expect(split(`{"a":1}\n${long}\n{"b":2}\n`, pieceBytes, 20)).toEqual([
      '{"a":1}\n',
      { kind: 'oversize', bytes: long.length, id: 'call-1', isCall: true },
      '{"b":2}\n',
    ])
  })

  test('takes a line of exactly the limit', () => {
    expect(split(`${'x'.repeat(20)}\n`, 6, 20)).toEqual([`${'x'.repeat(20)}\n`])
    expect(split(`${'x'.repeat(21)}\n`, 6, 20)).toMatchObject([{ kind: 'oversize', bytes: 21 }])
  })

  test('says that a last line without a newline was too long', () => {
    expect(split('x'.repeat(30), 7, 20)).toMatchObject([{ kind: 'oversize', bytes: 30, isCall: false }])
  })
})
