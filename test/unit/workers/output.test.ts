import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { outputLimits, trimTail } from '../../../src/workers/output-limits.ts'
import { readOutput } from '../../../src/workers/output-reader.ts'
import { tailText } from '../../../src/workers/tail-text.ts'

function directoryWith(files: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(tmpdir(), 'nk-output-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text)
  return directory
}

async function text(directory: string, offset: number, maxBytes = 100) {
  const slice = await readOutput(directory, { offset, maxBytes })
  return { ...slice, bytes: Buffer.from(slice.bytes).toString() }
}

const head = { file: 'output.head', skip: 0, start: 0, length: 4 }
const tail = { file: 'output.tail.1', skip: 2, start: 20, length: 6 }

describe('reading by logical offset', () => {
  test('a plain file, from the start, from the end, beyond it, before it', async () => {
    const directory = directoryWith({ output: '0123456789' })
    expect(await text(directory, 2, 3)).toEqual({
      bytes: '234',
      offset: 2,
      nextOffset: 5,
      totalBytes: 10,
      droppedBytes: 0,
    })
    expect(await text(directory, -3)).toMatchObject({ bytes: '789', offset: 7, nextOffset: 10 })
    expect(await text(directory, -300)).toMatchObject({ bytes: '0123456789', offset: 0 })
    expect(await text(directory, 300)).toMatchObject({ bytes: '', offset: 10, nextOffset: 10 })
    expect(await text(directory, 0, 0)).toMatchObject({ bytes: '', nextOffset: 0 })
  })

  test('nothing yet', async () => {
    const directory = directoryWith({})
    expect(await text(directory, 0)).toEqual({ bytes: '', offset: 0, nextOffset: 0, totalBytes: 0, droppedBytes: 0 })
    expect(await text(join(directory, 'none'), -5)).toMatchObject({ totalBytes: 0 })
  })

  test('head, dropped range, tail and live file', async () => {
    const index = { generation: 2, pieces: [head, tail], liveStart: 26, pending: null }
    const directory = directoryWith({
      'output.json': JSON.stringify(index),
      'output.head': 'HEAD',
      'output.tail.1': '..abcdef',
      output: 'LIVE',
    })
    expect(await text(directory, 0)).toEqual({
      bytes: 'HEAD',
      offset: 0,
      nextOffset: 4,
      totalBytes: 30,
      droppedBytes: 16,
    })
    expect(await text(directory, 4)).toMatchObject({ bytes: 'abcdefLIVE', offset: 20, nextOffset: 30 })
    expect(await text(directory, 22, 6)).toMatchObject({ bytes: 'cdefLI', offset: 22, nextOffset: 28 })
    expect(await text(directory, -1)).toMatchObject({ bytes: 'E', offset: 29 })
  })

  test('a manager that died while it emptied the live file leaves no doubt', async () => {
    const pending = { size: 12, pieces: [head, { ...tail, skip: 0, start: 6 }], liveStart: 12 }
    const index = { generation: 1, pieces: [], liveStart: 0, pending }
    const files = { 'output.json': JSON.stringify(index), 'output.head': '0123', 'output.tail.1': '6789ab' }
    const before = directoryWith({ ...files, output: '0123456789ab' })
    expect(await text(before, 0)).toMatchObject({ bytes: '0123456789ab', totalBytes: 12, droppedBytes: 0 })
    const after = directoryWith({ ...files, output: 'cd' })
    expect(await text(after, 4)).toMatchObject({ bytes: '6789abcd', offset: 6, totalBytes: 14, droppedBytes: 2 })
  })
})

describe('what is kept', () => {
  test('head and tail are together the maximum', () => {
    for (const maximum of [4096, 5001, 10 * 1024 ** 2]) {
      const limits = outputLimits(maximum)
      expect(limits.headBytes + limits.tailBytes).toBe(maximum)
    }
  })

  test('the tail is shortened from its front, the head never', () => {
    expect(trimTail([head, tail], 0, 6)).toEqual([head, tail])
    expect(trimTail([head, tail], 4, 6)).toEqual([head, { file: 'output.tail.1', skip: 6, start: 24, length: 2 }])
    expect(trimTail([head, tail], 100, 6)).toEqual([head])
  })
})

describe('the tail as text', () => {
  test('a half first line is left out, unless it is most of it', () => {
    expect(tailText(Buffer.from('lf\nwhole line\n'), true)).toBe('whole line\n')
    expect(tailText(Buffer.from('lf\nwhole line\n'), false)).toBe('lf\nwhole line\n')
    expect(tailText(Buffer.from('a very long half\nx'), true)).toBe('a very long half\nx')
  })

  test('any bytes become text of at most 4 KiB that JSON can carry', () => {
    for (const bytes of [Buffer.alloc(4096, 0xff), Buffer.alloc(4096), Buffer.from('🧱'.repeat(1024)).subarray(1)]) {
      const result = tailText(bytes, true)
      expect(Buffer.byteLength(result)).toBeLessThanOrEqual(4096)
      expect(JSON.parse(JSON.stringify(result))).toBe(result)
      expect(result).not.toMatch(/\0|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/)
    }
  })
})
