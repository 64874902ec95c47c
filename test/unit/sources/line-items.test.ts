import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { lineItems } from '../../../src/sources/line-items.ts'
import { readText } from '../../../src/sources/read-text.ts'
import { allOf, folderWith, inPieces } from './support.ts'

const read = (text: string, skipEmpty = true, pieces?: number) =>
  allOf(lineItems(inPieces(text, pieces), { file: '/data/x', skipEmpty }))

describe('lines', () => {
  test.each([1, 2, 5, 100])('in pieces of %d characters', async (pieces) => {
    expect(await read('one\r\ntwo\n\n  \nthree ', true, pieces)).toEqual(['one', 'two', 'three '])
    expect(await read('one\r\n\nthree\n', false, pieces)).toEqual(['one', '', 'three'])
  })

  test('that are too long are refused by number, without reading them to their end', async () => {
    async function* endless() {
      yield 'short\n'
      for (;;) yield 'x'.repeat(100_000)
    }
    await expect(allOf(lineItems(endless(), { file: '/data/x', skipEmpty: true }))).rejects.toThrow(
      'line 2 of /data/x is longer than 1048576 characters',
    )
  })

  test('of a binary file are refused', async () => {
    await expect(read('a\nb\0c\n')).rejects.toThrow('line 2 of /data/x holds a NUL character')
  })
})

describe('a text file', () => {
  const readFile = (folder: string, name: string) =>
    allOf(lineItems(readText(join(folder, name)), { file: name, skipEmpty: true }))

  test('is read without its byte order mark, whole characters over pieces', async () => {
    const long = 'ä€😀'.repeat(60_000)
    const folder = folderWith({ 'a.txt': `\ufeffone\n${long}\n` })
    expect(await readFile(folder, 'a.txt')).toEqual(['one', long])
  })

  test.each([
    ['latin.txt', 'is not UTF-8 text'],
    ['cut.txt', 'is not UTF-8 text'],
    ['wide.txt', 'is UTF-16 text'],
    ['gone.txt', 'does not exist'],
    ['folder', 'is a directory'],
    ['latin.txt/x', 'is below something that is not a directory'],
  ])('%s: %s', async (name, message) => {
    const folder = folderWith({
      'latin.txt': Buffer.from([0x61, 0xe4, 0x0a]),
      'cut.txt': Buffer.from([0x61, 0xe2, 0x82]),
      'wide.txt': Buffer.from([0xff, 0xfe, 0x61, 0x00]),
      'folder/x': '',
    })
    await expect(readFile(folder, name)).rejects.toThrow(message)
  })

  test('must be named by an absolute path', async () => {
    await expect(allOf(lineItems(readText('x.txt'), { file: 'x.txt', skipEmpty: true }))).rejects.toThrow('absolute')
  })
})
