import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { makeDirectory } from '../../../src/platform/make-directory.ts'

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'nk-make-'))
  onTestFinished(() => rmSync(path, { recursive: true }))
  return path
}

test('makes parents, private ones, and may be called again', () => {
  const path = join(folder(), 'a', 'b')
  makeDirectory(path)
  makeDirectory(path)
  expect(statSync(path).mode & 0o777).toBe(0o700)
  expect(statSync(join(path, '..')).mode & 0o777).toBe(0o700)
})

test('fails at once below a file, and where a file system takes no entries', () => {
  const file = join(folder(), 'file')
  writeFileSync(file, '')
  expect(() => makeDirectory(join(file, 'x'))).toThrow(/ENOTDIR|EEXIST/)
  if (process.platform === 'linux') expect(() => makeDirectory('/proc/x/y')).toThrow('ENOENT')
})
