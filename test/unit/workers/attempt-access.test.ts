import { execFileSync } from 'node:child_process'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createAnew, openRegularHandle, readRegular, replaceFile, sizeOf } from '../../../src/workers/attempt-access.ts'
import { readExit, readRunner, readStarted, readStop } from '../../../src/workers/attempt-files.ts'
import { droppedOf, readOutputState, removePieces } from '../../../src/workers/output-index.ts'
import { readOutput } from '../../../src/workers/output-reader.ts'

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'nk-access-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

const kinds = ['fifo', 'link', 'directory', 'device'] as const

function place(kind: (typeof kinds)[number], file: string): void {
  if (kind === 'fifo') execFileSync('mkfifo', [file])
  else if (kind === 'directory') mkdirSync(file)
  else if (kind === 'device') symlinkSync('/dev/zero', file)
  else {
    writeFileSync(`${file}.target`, 'secret')
    symlinkSync(`${file}.target`, file)
  }
}

test.for(kinds)('a %s in place of a file is read as none, without waiting', async (kind) => {
  const directory = temporaryDirectory()
  for (const name of ['output', 'output.json', 'stop', 'started', 'pid', 'exit']) place(kind, join(directory, name))
  expect(await Promise.all([readExit(directory), readRunner(directory), readStarted(directory)])).toEqual(
    Array(3).fill(null),
  )
  expect(await readStop(directory)).toBe(null)
  expect(await readOutput(directory, { offset: 0, maxBytes: 100 })).toMatchObject({ totalBytes: 0 })
  const output = join(directory, 'output')
  expect(sizeOf(output)).toBe(0)
  expect(() => readRegular(output, 10)).toThrow()
  await expect(openRegularHandle(output, true)).rejects.toThrow()
})

test.for(kinds)('a %s in place of a file is replaced, and what a link leads to is left alone', async (kind) => {
  const directory = temporaryDirectory()
  const file = join(directory, 'stop')
  place(kind, file)
  place(kind, `${file}.tmp`)
  replaceFile(file, 'new')
  expect([lstatSync(file).isFile(), readFileSync(file, 'utf8')]).toEqual([true, 'new'])
  if (kind === 'link') expect(readFileSync(`${file}.target`, 'utf8')).toBe('secret')
  place(kind, join(directory, 'tail'))
  await (await createAnew(join(directory, 'tail'))).close()
  expect(lstatSync(join(directory, 'tail')).isFile()).toBe(true)
})

const piece = { file: 'output.tail.1', skip: 0, start: 0, length: 3 }

test.for([
  ['null', null],
  ['a text', 'x'],
  ['no pieces', { generation: 1, liveStart: 0, pending: null }],
  [
    'a path that leads elsewhere',
    { generation: 1, pieces: [{ ...piece, file: '../queue.db' }], liveStart: 0, pending: null },
  ],
  ['a negative number', { generation: 1, pieces: [{ ...piece, start: -1 }], liveStart: 0, pending: null }],
  ['a number that is no count', { generation: 1, pieces: [], liveStart: 1e300, pending: null }],
] as const)('an index of the output that says %s is none', ([, content]) => {
  const directory = join(temporaryDirectory(), 'attempt')
  mkdirSync(directory)
  writeFileSync(join(directory, '..', 'queue.db'), 'data')
  writeFileSync(join(directory, 'output.json'), JSON.stringify(content))
  writeFileSync(join(directory, 'output'), 'hello')
  const state = readOutputState(directory)
  expect(state).toEqual({ index: { generation: 0, pieces: [], liveStart: 0, pending: null }, liveSize: 5 })
  removePieces(directory, state.index.pieces, [])
  expect(existsSync(join(directory, '..', 'queue.db'))).toBe(true)
})

test('pieces that overlap drop nothing rather than less than nothing', () => {
  const index = { generation: 1, pieces: [piece, { ...piece, length: 900 }], liveStart: 3, pending: null }
  expect(droppedOf({ index, liveSize: 0 })).toBe(0)
})

test('a stop, an exit or a start that nobody of us wrote is none', async () => {
  const directory = temporaryDirectory()
  for (const text of ['null', '5', '{"kind":"stop","reason":"x"}', '{"kind":"timeout","which":"unit"}']) {
    writeFileSync(join(directory, 'stop'), text)
    expect(await readStop(directory)).toBe(null)
  }
  writeFileSync(join(directory, 'exit'), 'exit 999 boot\n')
  expect(await readExit(directory)).toBe(null)
  writeFileSync(join(directory, 'started'), `started -${'9'.repeat(400)} boot\n`)
  expect(await readStarted(directory)).toBe(null)
})
