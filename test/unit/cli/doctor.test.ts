import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { linuxFileSystem, syncFolderIn } from '../../../src/cli/doctor/file-system-kind.ts'
import { checkDesktopPath } from '../../../src/cli/doctor/program-checks.ts'
import { checkFileSystem, checkStateDirectory } from '../../../src/cli/doctor/state-checks.ts'
import { isSupportedNode } from '../../../src/client/node-version.ts'

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'nk-doctor-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

describe('doctor', () => {
  it.each([
    [0x6969, 'network'],
    [0xff534d42 | 0, 'network'],
    [0x01021994, 'memory'],
    [0x794c7630, 'container'],
    [0xef53, 'none'],
    [0x12345, 'none'],
  ])('knows the file system of magic number %i', (magic, risk) => {
    expect(linuxFileSystem(magic).risk).toBe(risk)
  })

  it.each([
    ['/home/ada/Dropbox/state', 'Dropbox'],
    ['/Users/ada/Library/Mobile Documents/x', 'Mobile Documents'],
    ['C:\\Users\\ada\\OneDrive - Firm\\x', 'OneDrive - Firm'],
    ['/Users/ada/Library/CloudStorage/GoogleDrive-ada/x', 'CloudStorage'],
    ['/home/ada/dropbox-tools/state', null],
    ['/home/ada/Boxes/state', null],
  ])('finds the synchronised folder in %s', (path, found) => {
    expect(syncFolderIn(path)).toBe(found)
  })

  it('refuses a synchronised folder before it exists', () => {
    expect(checkFileSystem(join(temporary(), 'Dropbox', 'nightkiln'))).toMatchObject({ status: 'problem' })
  })

  it('names a state directory of somebody else and one that cannot be made', () => {
    const folder = temporary()
    expect(checkStateDirectory(folder, 4_242)).toMatchObject({
      status: 'problem',
      detail: expect.stringContaining('not to you (4242)'),
    })
    expect(checkStateDirectory(folder)).toMatchObject({ status: 'ok' })
    writeFileSync(join(folder, 'file'), '')
    expect(checkStateDirectory(join(folder, 'file', 'below'))).toMatchObject({ status: 'problem' })
    expect(checkStateDirectory(join(folder, 'new', 'below'))).toMatchObject({ status: 'ok' })
  })

  it.each([
    ['v20.19.0', true],
    ['20.18.3', false],
    ['v24.1.0', true],
    ['v18.20.0', false],
    ['', false],
  ])('knows whether Node %s is new enough', (version, supported) => {
    expect(isSupportedNode(version)).toBe(supported)
  })

  it('warns when desktop applications find no node, or only an old one', () => {
    const folder = temporary()
    expect(checkDesktopPath('linux', folder)).toMatchObject({
      status: 'warning',
      remedy: expect.stringContaining('setup'),
    })
    writeFileSync(join(folder, 'node'), '#!/bin/sh\necho v16.0.0\n', { mode: 0o755 })
    expect(checkDesktopPath('linux', folder)).toMatchObject({
      status: 'warning',
      detail: expect.stringContaining('too old'),
    })
    writeFileSync(join(folder, 'node'), '#!/bin/sh\necho v22.3.0\n', { mode: 0o755 })
    expect(checkDesktopPath('linux', folder)).toMatchObject({ status: 'ok' })
    expect(checkDesktopPath('win32', folder)).toMatchObject({ status: 'ok' })
  })
})
