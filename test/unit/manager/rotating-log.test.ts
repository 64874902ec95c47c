import {
  closeSync,
  fstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createRotatingLog } from '../../../src/manager/process/rotating-log.ts'

const maxBytes = 2_000

function openLog() {
  const top = mkdtempSync(join(tmpdir(), 'nk-log-'))
  onTestFinished(() => rmSync(top, { recursive: true }))
  const folder = join(top, 'logs')
  mkdirSync(folder, { mode: 0o700 })
  const log = createRotatingLog(join(folder, 'manager.log'), { level: 'info', maxBytes })
  const fill = (text: string) => {
    for (let line = 0; line < 40; line += 1) log.info(text.padEnd(100, '.'))
  }
  return { top, folder, log, fill }
}

test('rotates by size and keeps three old files, mode 0600', () => {
  const { folder, fill } = openLog()
  for (const text of ['one', 'two', 'three', 'four', 'five', 'six']) fill(text)
  expect(readdirSync(folder).sort()).toEqual(['manager.log', 'manager.log.1', 'manager.log.2', 'manager.log.3'])
  for (const name of readdirSync(folder)) {
    const { size, mode } = statSync(join(folder, name))
    expect(size).toBeLessThan(maxBytes + 500)
    expect(mode & 0o777).toBe(0o600)
  }
})

test('makes its folder again when somebody removed it', () => {
  const { folder, log, fill } = openLog()
  fill('before')
  rmSync(folder, { recursive: true })
  fill('between')
  log.info('afterwards')
  expect(readFileSync(join(folder, 'manager.log'), 'utf8')).toContain('afterwards')
})

test('closes no file of others when it cannot rotate, and rotates again later', () => {
  const { top, folder, log, fill } = openLog()
  rmSync(folder, { recursive: true })
  // No folder can be made where a file is.
  writeFileSync(folder, '')
  fill('nowhere')
  // Gets the lowest free number: that of a log that was closed too early.
  const foreign = join(top, 'database')
  const descriptor = openSync(foreign, 'w')
  const isOpen = () => fstatSync(descriptor).ino === statSync(foreign).ino
  fill('nowhere')
  expect(isOpen()).toBe(true)
  expect(readFileSync(foreign, 'utf8')).toBe('')
  rmSync(folder)
  fill('somewhere')
  log.info('at last')
  expect(readFileSync(join(folder, 'manager.log'), 'utf8')).toContain('at last')
  expect(isOpen()).toBe(true)
  closeSync(descriptor)
})
