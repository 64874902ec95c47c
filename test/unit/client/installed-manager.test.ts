import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { findInstalledManager } from '../../../src/client/installed-manager.ts'
import type { ManagerFile } from '../../../src/domain/wire/manager.ts'

let machine: string

beforeEach(() => {
  machine = realpathSync(mkdtempSync(join(tmpdir(), 'nk-installed-')))
  onTestFinished(() => rmSync(machine, { recursive: true }))
})

function put(file: string, text: string): string {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
  return file
}

function putNode(prefix: string, version = 'v22.1.0'): string {
  const node = put(join(prefix, 'bin', 'node'), `#!/bin/sh\necho ${version}\n`)
  chmodSync(node, 0o755)
  return node
}

function putPackage(folder: string, version: string): string {
  put(join(folder, 'package.json'), JSON.stringify({ name: 'nightkiln', version }))
  return put(join(folder, 'dist', 'manager', 'process', 'main.js'), '')
}

const globalPackage = (prefix: string) => join(prefix, 'lib', 'node_modules', 'nightkiln')
const recorded = (manager: { node: string; entry: string; version: string }) => manager as unknown as ManagerFile
/** No PATH but the given folders, and a home without version managers. */
const environment = (...path: readonly string[]) => ({
  HOME: join(machine, 'home'),
  PATH: path.join(':'),
  NIGHTKILN_NODE: '',
})

test('the global package of a node on PATH, run by that node', () => {
  const prefix = join(machine, 'a')
  const node = putNode(prefix)
  const entry = putPackage(globalPackage(prefix), '7.0.0')
  expect(findInstalledManager(null, environment(join(prefix, 'bin')))).toEqual({ node, entry, version: '7.0.0' })
})

test('the newest of all, also those of version managers', () => {
  const prefix = join(machine, 'a')
  putNode(prefix)
  putPackage(globalPackage(prefix), '7.0.0')
  const nvm = join(machine, 'home', '.nvm', 'versions', 'node', 'v24.0.0')
  const node = putNode(nvm)
  const entry = putPackage(globalPackage(nvm), '7.10.0')
  const last = recorded({ node, entry: putPackage(join(machine, 'b'), '7.9.0'), version: '7.9.0' })
  expect(findInstalledManager(last, environment(join(prefix, 'bin')))).toEqual({ node, entry, version: '7.10.0' })
})

test('the package that the command in PATH leads to, when npm has a prefix of its own', () => {
  const node = putNode(join(machine, 'a'))
  const prefix = join(machine, 'b')
  const entry = putPackage(globalPackage(prefix), '7.1.0')
  const command = put(join(globalPackage(prefix), 'dist', 'cli', 'main.js'), '')
  mkdirSync(join(prefix, 'bin'))
  symlinkSync(command, join(prefix, 'bin', 'nightkiln'))
  const path = environment(join(machine, 'a', 'bin'), join(prefix, 'bin'))
  expect(findInstalledManager(null, path)).toEqual({ node, entry, version: '7.1.0' })
})

test('what led last, wherever it is installed', () => {
  const node = putNode(join(machine, 'a'))
  const last = { node, entry: putPackage(join(machine, 'checkout'), '7.0.0'), version: '7.0.0' }
  expect(findInstalledManager(recorded(last), environment())).toEqual(last)
})

test('nothing of a node that is too old, and nothing that is gone', () => {
  const prefix = join(machine, 'a')
  const node = putNode(prefix, 'v18.0.0')
  putPackage(globalPackage(prefix), '99.0.0')
  const last = recorded({ node, entry: join(machine, 'gone', 'main.js'), version: '99.0.0' })
  // The machine that runs this may have one installed.
  let found: string | null = null
  try {
    found = findInstalledManager(last, environment(join(prefix, 'bin'))).version
  } catch {
    found = null
  }
  expect(found).not.toBe('99.0.0')
})

test('a prefix that the user gave npm', () => {
  const node = putNode(join(machine, 'a'))
  put(join(machine, 'home', '.npmrc'), 'fund=false\nprefix = ~/packages\n')
  const entry = putPackage(globalPackage(join(machine, 'home', 'packages')), '98.0.0')
  expect(findInstalledManager(null, environment(join(machine, 'a', 'bin')))).toEqual({ node, entry, version: '98.0.0' })
})

test.each(['', 'dist/cli/main.js', 'dist/manager/process/main.js'])(
  'NIGHTKILN_ENTRY wins: the package, %s',
  (inside) => {
    const prefix = join(machine, 'a')
    const node = putNode(prefix)
    const entry = putPackage(globalPackage(prefix), '1.0.0')
    const named = { ...environment(), NIGHTKILN_ENTRY: join(globalPackage(prefix), inside) }
    const last = recorded({ node, entry: putPackage(join(machine, 'b'), '7.9.0'), version: '7.9.0' })
    expect(findInstalledManager(last, named)).toEqual({ node, entry, version: '1.0.0' })
  },
)

test('a wrong NIGHTKILN_ENTRY is named, not ignored', () => {
  const prefix = join(machine, 'a')
  putNode(prefix)
  putPackage(globalPackage(prefix), '7.0.0')
  const named = { ...environment(join(prefix, 'bin')), NIGHTKILN_ENTRY: join(machine, 'b') }
  expect(() => findInstalledManager(null, named)).toThrow(`NIGHTKILN_ENTRY is "${join(machine, 'b')}"`)
})

test('a relative NIGHTKILN_ENTRY is refused: the manager is started elsewhere', () => {
  const named = (entry: string) => () => findInstalledManager(null, { NIGHTKILN_ENTRY: entry })
  // This very package, which is where it says when the directory is that of the tests.
  for (const entry of ['.', 'dist', 'src/..']) expect(named(entry)).toThrow('where Nightkiln is not')
})

test('NIGHTKILN_NODE runs whatever is found', () => {
  const prefix = join(machine, 'a')
  putNode(prefix)
  putPackage(globalPackage(prefix), '97.0.0')
  const chosen = putNode(join(machine, 'b'))
  const found = findInstalledManager(null, { ...environment(join(prefix, 'bin')), NIGHTKILN_NODE: chosen })
  expect(found).toMatchObject({ node: chosen, version: '97.0.0' })
})
