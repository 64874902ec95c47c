import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { globItems } from '../../../src/sources/glob-items.ts'
import { folderWith } from './support.ts'

function tree(): string {
  const root = folderWith({
    'top.pdf': 'xyz',
    '.hidden.pdf': '',
    'a/1.pdf': '',
    'a/2.PDF': '',
    'a/archive.tar.gz': '',
    'a/no-extension': '',
    'a/[x].pdf': '',
    'b/c/3.pdf': '',
    '.h/4.pdf': '',
    'node_modules/x/5.pdf': '',
  })
  symlinkSync('..', join(root, 'a', 'loop'))
  symlinkSync('../top.pdf', join(root, 'a', 'link.pdf'))
  symlinkSync('/nowhere', join(root, 'a', 'broken.pdf'))
  return root
}

const found = (root: string, pattern: string, exclude: string[] = []) =>
  [...globItems({ pattern, root, exclude })].map((unit) =>
    String((unit as { path: string }).path).slice(root.length + 1),
  )

describe('a glob', () => {
  test.each([
    ['**/*.pdf', [], ['a/1.pdf', 'a/[x].pdf', 'a/link.pdf', 'b/c/3.pdf', 'node_modules/x/5.pdf', 'top.pdf']],
    ['*.pdf', [], ['top.pdf']],
    ['./*.pdf', [], ['top.pdf']],
    ['top.pdf', [], ['top.pdf']],
    ['a/?.{pdf,PDF}', [], ['a/1.pdf', 'a/2.PDF']],
    ['a/[0-9].*', [], ['a/1.pdf', 'a/2.PDF']],
    ['a/\\[x\\].pdf', [], ['a/[x].pdf']],
    ['{a,b}/**/*.pdf', [], ['a/1.pdf', 'a/[x].pdf', 'a/link.pdf', 'b/c/3.pdf']],
    ['b/**', [], ['b/c/3.pdf']],
    ['**/*.pdf', ['node_modules/**', 'b', '**/link.*'], ['a/1.pdf', 'a/[x].pdf', 'top.pdf']],
    ['b/**/*.pdf', ['b'], []],
    ['.h/*', [], ['.h/4.pdf']],
    ['**/.*', [], ['.hidden.pdf']],
    ['nowhere/*', [], []],
    ['a', [], []],
  ])('%s without %j', (pattern, exclude, expected) => {
    expect(found(tree(), pattern, exclude)).toEqual(expected)
  })

  test('gives path, name, stem, extension and size', () => {
    const root = tree()
    expect([...globItems({ pattern: '{top.pdf,a/{archive*,no*}}', root, exclude: [] })]).toEqual([
      { path: join(root, 'a/archive.tar.gz'), name: 'archive.tar.gz', stem: 'archive.tar', extension: 'gz', bytes: 0 },
      { path: join(root, 'a/no-extension'), name: 'no-extension', stem: 'no-extension', extension: '', bytes: 0 },
      { path: join(root, 'top.pdf'), name: 'top.pdf', stem: 'top', extension: 'pdf', bytes: 3 },
    ])
  })

  test.each([
    ['/etc/*', 'absolute path'],
    ['../*', '".."'],
    ['a/../../*', '".."'],
    ['!*.pdf', 'begins with "!"'],
    ['a\0', 'NUL'],
  ])('%j is refused', (pattern, message) => {
    expect(() => found(tree(), pattern)).toThrow(message)
  })

  test('needs a directory', () => {
    const root = tree()
    expect(() => found(join(root, 'gone'), '*')).toThrow('gone does not exist')
    expect(() => found(join(root, 'top.pdf'), '*')).toThrow('is not a directory')
    expect(() => found('relative', '*')).toThrow('not an absolute path')
  })

  test('is done soon, whatever the names', () => {
    const root = folderWith({ ['a'.repeat(200)]: '' })
    const began = performance.now()
    expect(found(root, '*a*a*a*b')).toEqual([])
    expect(found(root, '+(a|aa)+b')).toEqual([])
    expect(performance.now() - began).toBeLessThan(5_000)
    expect(() => found(root, '*a*a*a*a*b')).toThrow('more wildcards')
    expect(() => found(root, '**/a/**/b/**/c/**')).toThrow('more wildcards')
  })
})
