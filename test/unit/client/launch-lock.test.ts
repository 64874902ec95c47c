import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { tryAcquireLaunchLock } from '../../../src/client/launch-lock.ts'

function lockFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'nk-lock-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return join(folder, 'launch.lock')
}

test('one holder at a time; free again after release; no files left', () => {
  const file = lockFile()
  const first = tryAcquireLaunchLock(file)
  expect(first).not.toBeNull()
  expect(tryAcquireLaunchLock(file)).toBeNull()
  first?.release()
  const second = tryAcquireLaunchLock(file)
  expect(second).not.toBeNull()
  second?.release()
  expect(readdirSync(join(file, '..'))).toEqual([])
})

test.each([
  ['a dead holder', JSON.stringify({ pid: 2 ** 22 - 1, startTime: '1' })],
  ['a pid that is another process now', JSON.stringify({ pid: process.pid, startTime: '1' })],
  ['half a file', '{"pid":'],
])('is taken over from %s', (_what, content) => {
  const file = lockFile()
  writeFileSync(file, content)
  const lock = tryAcquireLaunchLock(file)
  expect(lock).not.toBeNull()
  lock?.release()
})

test.each([
  ['a folder', (file: string) => mkdirSync(join(file, 'with', 'content'), { recursive: true })],
  ['a dangling link', (file: string) => symlinkSync('/nonexistent/lock', file)],
  ['a link to a folder', (file: string) => symlinkSync(tmpdir(), file)],
])('%s in its place is removed', (_what, obstruct) => {
  const file = lockFile()
  obstruct(file)
  const lock = tryAcquireLaunchLock(file)
  expect(lock).not.toBeNull()
  expect(tryAcquireLaunchLock(file)).toBeNull()
  lock?.release()
  expect(readdirSync(join(file, '..'))).toEqual([])
})
