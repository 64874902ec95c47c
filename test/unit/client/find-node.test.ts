import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { findNode } from '../../../src/client/find-node.ts'
import { versionOfNode } from '../../../src/client/node-version.ts'

const electron = { ...process.versions, electron: '30.0.0' }

/** A folder with a program that says it is a node of this version. */
function folderWithNode(version: string, ...parts: readonly string[]): string {
  const top = mkdtempSync(join(tmpdir(), 'nk-node-'))
  onTestFinished(() => rmSync(top, { recursive: true }))
  const folder = join(top, ...parts)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'node'), `#!/bin/sh\necho ${version}\n`)
  chmodSync(join(folder, 'node'), 0o755)
  return folder
}

test('the own executable outside of an embedding runtime', () => {
  expect(findNode({ PATH: '' })).toBe(process.execPath)
})

test.each(['electron', 'bun', 'deno'])('a real node of PATH inside %s, never its own executable', (runtime) => {
  const folder = folderWithNode('v22.0.0')
  expect(findNode({ PATH: `/nowhere:${folder}` }, { ...process.versions, [runtime]: '1.0.0' })).toBe(
    join(folder, 'node'),
  )
})

test('not a node that is too old, though it comes first', () => {
  const old = folderWithNode('v18.20.0')
  const folder = folderWithNode('v20.19.0')
  expect(findNode({ PATH: `${old}:${folder}` }, electron)).toBe(join(folder, 'node'))
})

test('the version that a path names is believed without running anything', () => {
  expect(versionOfNode(join(folderWithNode('v1.0.0', 'versions', 'node', 'v24.11.1', 'bin'), 'node'))).toBe('24.11.1')
})

test('NIGHTKILN_NODE wins, and a wrong one is named', () => {
  const folder = folderWithNode('v22.0.0')
  expect(findNode({ NIGHTKILN_NODE: join(folder, 'node') }, electron)).toBe(join(folder, 'node'))
  expect(() => findNode({ NIGHTKILN_NODE: '/nowhere/node' })).toThrow('NIGHTKILN_NODE is "/nowhere/node"')
})
