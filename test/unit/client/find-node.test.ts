import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { findNode } from '../../../src/client/find-node.ts'

const electron = { ...process.versions, electron: '30.0.0' }

function folderWithNode(): string {
  const folder = mkdtempSync(join(tmpdir(), 'nk-node-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'node'), '')
  chmodSync(join(folder, 'node'), 0o755)
  return folder
}

test('the own executable outside of an embedding runtime', () => {
  expect(findNode({ PATH: '' })).toBe(process.execPath)
})

test('a real node of PATH inside Electron, never its own executable', () => {
  const folder = folderWithNode()
  expect(findNode({ PATH: `/nowhere:${folder}` }, electron)).toBe(join(folder, 'node'))
})

test('NIGHTKILN_NODE wins, and a wrong one is named', () => {
  const folder = folderWithNode()
  expect(findNode({ NIGHTKILN_NODE: join(folder, 'node') }, electron)).toBe(join(folder, 'node'))
  expect(() => findNode({ NIGHTKILN_NODE: '/nowhere/node' })).toThrow('NIGHTKILN_NODE is "/nowhere/node"')
})
