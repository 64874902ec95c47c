import { execFileSync } from 'node:child_process'
import { renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { readManagerFile } from '../../../src/client/manager-file.ts'
import type { ManagerFile } from '../../../src/domain/wire/manager.ts'
import { useTemporaryHome } from '../../support/temporary-home.ts'

const written: ManagerFile = {
  pid: 4711,
  start_time: '1',
  boot_id: 'boot',
  instance_id: 'instance',
  epoch: 1,
  version: '99.0.0',
  api_version: 1,
  node: '/usr/bin/node',
  entry: '/nowhere/main.js',
  socket: null,
  state: 'stopped',
  written_at: 1,
}

function managerFileOf(home: string): string {
  const file = join(home, 'manager.json')
  writeFileSync(file, JSON.stringify(written))
  return file
}

afterEach(() => void vi.restoreAllMocks())

describe('manager.json names what is started, so it', () => {
  test('is read when it is ours', () => {
    expect(readManagerFile(managerFileOf(useTemporaryHome().home))).toEqual(written)
  })

  test('is nothing when it belongs to somebody else', () => {
    const file = managerFileOf(useTemporaryHome().home)
    const uid = process.getuid?.() ?? 0
    vi.spyOn(process, 'getuid').mockReturnValue(uid + 1)
    expect(readManagerFile(file)).toBeNull()
  })

  test('is nothing when it is a link', () => {
    const { home } = useTemporaryHome()
    const file = managerFileOf(home)
    renameSync(file, `${file}.real`)
    symlinkSync(`${file}.real`, file)
    expect(readManagerFile(file)).toBeNull()
  })

  test('is nothing, and waits for nobody, when it is a pipe', () => {
    // Not under its own name: what removes the directory of a test reads that.
    const file = join(useTemporaryHome().home, 'pipe.json')
    execFileSync('mkfifo', [file])
    expect(readManagerFile(file)).toBeNull()
  })
})
