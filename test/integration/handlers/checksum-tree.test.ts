import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { type RunOptions, runHandler } from '../../../src/handler/testing/index.ts'
import { problemOf } from '../../../src/workers/handlers/checksum-tree/walk.ts'
import checksumTree from '../../../src/workers/handlers/checksum-tree.ts'

type Given = RunOptions<typeof checksumTree.params, undefined, NonNullable<typeof checksumTree.checkpoint>>
type Tree = Readonly<Record<string, string | Buffer>>

const run = (params: Given['params'], rest: Omit<Given, 'params'> = {}) => runHandler(checksumTree, { ...rest, params })
const sha256 = (content: string | Buffer): string => createHash('sha256').update(content).digest('hex')

function makeTree(files: Tree): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'nk-tree-')))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), content)
  }
  return root
}

function manifestOf({ artifacts }: Awaited<ReturnType<typeof run>>): string {
  return readFileSync(artifacts[0]?.path ?? '', 'utf8')
}

const pathsOf = (manifest: string): string[] =>
  manifest
    .split('\n')
    .slice(0, -1)
    .map((line) => line.slice(66))

/** Names that sort in unlike ways, in and beside directories. */
const manyFiles: Tree = Object.fromEntries(
  ['a', 'a.b', 'a-b', 'B', 'ä', 'z'].flatMap((folder) =>
    ['1', '10', '2', '.hidden', 'a b'].flatMap((name) => [
      [`${folder}.d/${name}`, `${folder}${name}`],
      [`${folder}.d/deep/er/${name}`, `${folder}${name}`.repeat(50)],
      [`${folder}-${name}`, name],
    ]),
  ),
)

describe('checksum_tree', () => {
  test('gives a list that sha256sum accepts, with totals and its own digest', async () => {
    const root = makeTree({ 'b.txt': 'bee', 'a/x': 'ex', 'a.txt': '', '.hidden': 'h', 'odd\\na\nme\r': 'odd' })
    const done = await run({ root })
    expect(done.outcome).toEqual({ kind: 'completed' })
    const manifest = manifestOf(done)
    expect(manifest).toBe(
      [
        `${sha256('h')}  .hidden`,
        `${sha256('ex')}  a/x`,
        `${sha256('')}  a.txt`,
        `${sha256('bee')}  b.txt`,
        `\\${sha256('odd')}  odd\\\\na\\nme\\r`,
        '',
      ].join('\n'),
    )
    expect(done.result).toEqual({
      files: 5,
      bytes: 9,
      manifest: 'SHA256SUMS',
      digest: sha256(manifest),
      unreadable_count: 0,
      unreadable: [],
      links_skipped: 0,
      others_skipped: 0,
    })
    expect(done.progress[0]).toMatchObject({ current: 0, total: null, stage: 'counting' })
    expect(done.progress.at(-1)).toMatchObject({ current: 9, total: 9, stage: 'hashing' })
    const report = execFileSync('sha256sum', ['-c', done.artifacts[0]?.path ?? ''], { cwd: root, encoding: 'utf8' })
    expect(report.match(/: OK$/gm)?.length).toBe(5)
  })

  test.each(['md5', 'sha1', 'sha512'] as const)('hashes with %s', async (algorithm) => {
    const root = makeTree({ x: 'ex' })
    const done = await run({ root, algorithm, manifest: 'list.txt' })
    expect(manifestOf(done)).toBe(`${createHash(algorithm).update('ex').digest('hex')}  x\n`)
    expect(done.result?.manifest).toBe('list.txt')
    expect((await run({ root, algorithm })).result?.manifest).toBe(`${algorithm.toUpperCase()}SUMS`)
  })

  test('takes and leaves out what patterns say', async () => {
    const root = makeTree({
      'a.jpg': '',
      'x/b.jpg': '',
      'x/b.txt': '',
      '.git/c.jpg': '',
      'x/.git/d/e.jpg': '',
      'f.jpg.tmp': '',
    })
    const names = async (params: Partial<Given['params']>) => pathsOf(manifestOf(await run({ root, ...params })))
    expect(await names({ include: ['**/*.jpg'] })).toEqual(['.git/c.jpg', 'a.jpg', 'x/.git/d/e.jpg', 'x/b.jpg'])
    expect(await names({ include: ['*.jpg'] })).toEqual(['a.jpg'])
    expect(await names({ include: ['**/*.jpg'], exclude: ['**/.git'] })).toEqual(['a.jpg', 'x/b.jpg'])
    expect(await names({ exclude: ['x', '*.{tmp,jpg}'] })).toEqual(['.git/c.jpg'])
  })

  test('an empty directory has an empty list', async () => {
    const done = await run({ root: makeTree({}) })
    expect(done.result).toMatchObject({ files: 0, digest: sha256('') })
  })

  test('follows links only when told to, and never in circles', async () => {
    const outside = makeTree({ 'far/file': 'far' })
    const root = makeTree({ 'real/file': 'near' })
    symlinkSync(join(root, 'real/file'), join(root, 'to-file'))
    symlinkSync(join(outside, 'far'), join(root, 'to-far'))
    symlinkSync(root, join(root, 'real/up'))
    symlinkSync(join(root, 'nowhere'), join(root, 'to-nowhere'))
    const still = await run({ root })
    expect(pathsOf(manifestOf(still))).toEqual(['real/file'])
    expect(still.result).toMatchObject({ links_skipped: 4, unreadable_count: 0 })
    const following = await run({ root, follow_links: true })
    expect(pathsOf(manifestOf(following))).toEqual(['real/file', 'to-far/file', 'to-file'])
    expect(following.result?.unreadable).toEqual([
      { path: 'real/up', problem: 'this link leads back to a directory above it' },
      { path: 'to-nowhere', problem: 'it is gone, or its name is not UTF-8' },
    ])
  })

  test('waits for no pipe', async () => {
    const root = makeTree({ file: 'x' })
    execFileSync('mkfifo', [join(root, 'pipe')])
    const done = await run({ root })
    expect(done.result).toMatchObject({ files: 1, others_skipped: 1 })
  })

  test('tells of what vanishes or changes while it is read, and goes on', async () => {
    const large = Buffer.alloc(3_000_000)
    const root = makeTree({
      'a-first': 'x',
      'b-grows': large,
      'c-vanishes': 'x',
      'd-shrinks': large,
      'e/file': '',
      'f-last': 'x',
    })
    const change = (path: string) => {
      if (path === 'a-first') {
        for (const gone of ['c-vanishes', 'e']) rmSync(join(root, gone), { recursive: true, force: true })
        // A directory when it was listed, a file when its turn comes.
        writeFileSync(join(root, 'e'), '')
      }
      if (path === 'b-grows') appendFileSync(join(root, path), Buffer.alloc(2_000_000))
      if (path === 'd-shrinks') truncateSync(join(root, path), 10)
    }
    const done = await run(
      { root },
      { onProgress: ({ message, stage }) => stage === 'hashing' && change(message?.split(': ')[1] ?? '') },
    )
    expect(pathsOf(manifestOf(done))).toEqual(['a-first', 'f-last'])
    expect(done.result).toMatchObject({ files: 2, unreadable_count: 4 })
    expect(done.result?.unreadable).toEqual([
      { path: 'b-grows', problem: 'it changed while it was read' },
      { path: 'c-vanishes', problem: 'it is gone, or its name is not UTF-8' },
      { path: 'd-shrinks', problem: 'it changed while it was read' },
      { path: 'e', problem: expect.stringContaining('ENOTDIR') },
    ])
  })

  test.each([
    ['EACCES', 'no permission'],
    ['EPERM', 'no permission'],
    ['ENOENT', 'it is gone, or its name is not UTF-8'],
    ['EIO', 'EIO: i/o error'],
  ])('says of %s: %s', (code, words) => {
    expect(problemOf(Object.assign(new Error('EIO: i/o error'), { code }))).toBe(words)
  })

  test('tells the first 100 that could not be read, and counts all', async () => {
    const root = makeTree({})
    for (let number = 0; number < 130; number += 1) symlinkSync('nowhere', join(root, `link-${number}`))
    const { result } = await run({ root, follow_links: true })
    expect([result?.unreadable_count, result?.unreadable.length]).toEqual([130, 100])
  })

  test.each([
    ['/nowhere/at/all', 'cannot be read: ENOENT'],
    [import.meta.filename, 'is not a directory'],
  ])('rejects the root %s', async (root, words) => {
    expect((await run({ root })).outcome).toMatchObject({ kind: 'rejected', message: expect.stringContaining(words) })
  })

  test.each([
    { root: 'relative' },
    { root: '/x', include: ['/absolute'] },
    { root: '/x', exclude: ['../up'] },
    { root: '/x', include: ['!not'] },
    { root: '/x', include: ['**/a/**/b/**/c/**'] },
    { root: '/x', include: ['*a*a*a*a*a'] },
    { root: '/x', manifest: 'a/b' },
    { root: '/x', manifest: '..' },
    { root: '/x', algorithm: 'crc32' },
    { root: '/x', expect: 'relative' },
  ])('refuses %j', (params) => {
    expect(checksumTree.params.safeParse(params).success).toBe(false)
  })
})

describe('a cancelled checksum_tree', () => {
  test('goes on behind the last finished file and gives the same list, wherever it was', async () => {
    const root = makeTree(manyFiles)
    const whole = await run({ root })
    const total = Object.keys(manyFiles).length
    expect(whole.result?.files).toBe(total)
    for (let stopAt = 0; stopAt < total; stopAt += 7) {
      const controller = new AbortController()
      const first = await run(
        { root },
        {
          signal: controller.signal,
          onProgress: ({ stage, message }) =>
            void (stage === 'hashing' && message?.startsWith(`${stopAt} of`) && controller.abort()),
        },
      )
      expect(first.outcome).toEqual({ kind: 'cancelled' })
      const checkpoint = first.checkpoints.at(-1)
      expect(checkpoint?.files).toBe(stopAt)
      // As if it had died a moment later: what was not saved is written again.
      appendFileSync(checkpoint?.file ?? '', 'torn line')
      const second = await run({ root }, { lastCheckpoint: checkpoint ?? null, attempt: 2 })
      expect(second.result).toEqual(whole.result)
      expect(manifestOf(second)).toBe(manifestOf(whole))
      if (stopAt > 0) expect(second.progress[0]?.message).toContain(`${stopAt} of ${total} files`)
    }
  })

  test('has saved every second', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    onTestFinished(() => void vi.useRealTimers())
    const root = makeTree(Object.fromEntries(Array.from({ length: 10 }, (_, number) => [`f${number}`, ''])))
    const { checkpoints } = await run(
      { root },
      {
        onProgress: ({ stage }) => void (stage === 'hashing' && vi.advanceTimersByTime(300)),
        onCheckpoint: ({ file, length }) => expect(statSync(file).size).toBe(length),
      },
    )
    expect(checkpoints.map(({ last }) => last)).toEqual(['f3', 'f7'])
  })

  test('keeps what it found out besides', async () => {
    const root = makeTree({ 'm-file': Buffer.alloc(5_000_000) })
    symlinkSync('nowhere', join(root, 'a-link'))
    execFileSync('mkfifo', [join(root, 'b-pipe')])
    symlinkSync(root, join(root, 'z-link'))
    const whole = await run({ root })
    const controller = new AbortController()
    const first = await run(
      { root },
      { signal: controller.signal, onProgress: ({ current }) => void (current > 0 && controller.abort()) },
    )
    expect(first.outcome).toEqual({ kind: 'cancelled' })
    expect(first.checkpoints.at(-1)).toMatchObject({ last: 'b-pipe', links_skipped: 1, others_skipped: 1, files: 0 })
    const second = await run({ root }, { lastCheckpoint: first.checkpoints.at(-1) ?? null })
    expect(second.result).toEqual(whole.result)
    expect(second.result).toMatchObject({ links_skipped: 2, others_skipped: 1 })
  })

  test('begins anew when its list is gone', async () => {
    const root = makeTree({ a: 'a', b: 'b' })
    const checkpoint = {
      ...{ file: join(root, 'gone'), length: 100, last: 'a', files: 1, bytes: 1, total_files: 2, total_bytes: 2 },
      ...{ unreadable_count: 0, unreadable: [], links_skipped: 0, others_skipped: 0 },
    }
    const done = await run({ root }, { lastCheckpoint: checkpoint })
    expect(done.result).toMatchObject({ files: 2 })
    expect(done.logs[0]?.message).toContain('starts over')
  })

  test('ends between the pieces of a large file', async () => {
    const root = makeTree({ large: Buffer.alloc(64 * 1024 * 1024) })
    const controller = new AbortController()
    const seen: number[] = []
    const { outcome } = await run(
      { root },
      {
        signal: controller.signal,
        onProgress: ({ current, stage }) => {
          if (stage !== 'hashing') return
          seen.push(current)
          controller.abort()
        },
      },
    )
    expect(outcome).toEqual({ kind: 'cancelled' })
    expect(seen).toEqual([1024 * 1024])
  })
})

describe('a comparison with an earlier list', () => {
  test('tells what is added, removed and changed', async () => {
    const root = makeTree({ same: '1', 'a/changed': '1', removed: '1', 'odd\nname': '1' })
    const before = await run({ root })
    writeFileSync(join(root, 'a/changed'), '2')
    unlinkSync(join(root, 'removed'))
    writeFileSync(join(root, 'added'), '1')
    const { result } = await run({ root, expect: before.artifacts[0]?.path })
    expect(result?.comparison).toEqual({
      same: 2,
      changed: { count: 1, names: ['a/changed'] },
      added: { count: 1, names: ['added'] },
      removed: { count: 1, names: ['removed'] },
    })
  })

  test('reads what sha256sum itself wrote', async () => {
    const root = makeTree({ 'a b': '1', 'x/y': '2' })
    const list = makeTree({}).concat('/list')
    writeFileSync(list, execFileSync('sh', ['-c', 'find . -type f | xargs -d "\\n" sha256sum -b'], { cwd: root }))
    expect((await run({ root, expect: list })).result?.comparison).toMatchObject({ same: 2 })
  })

  test('counts all and names the first 100', async () => {
    const root = makeTree(Object.fromEntries(Array.from({ length: 150 }, (_, number) => [`f${number}`, 'x'])))
    const list = join(makeTree({ list: `${sha256('x')}  other\n` }), 'list')
    const { result } = await run({ root, expect: list })
    expect(result?.comparison?.added.count).toBe(150)
    expect(result?.comparison?.added.names.length).toBe(100)
    expect(result?.comparison?.removed).toEqual({ count: 1, names: ['other'] })
  })

  test.each([
    ['no list at all\n', 'line 1, is not as sha256sum writes it'],
    [`${'a'.repeat(32)}  x\n`, 'holds no sha256 but checksums of 32 hex digits'],
    [null, 'cannot be read'],
  ])('rejects the list %j before it hashes anything', async (text, words) => {
    const root = makeTree({ file: 'x' })
    const list = text === null ? '/nowhere/list' : join(makeTree({ list: text }), 'list')
    const { outcome, progress } = await run({ root, expect: list })
    expect(outcome).toMatchObject({ kind: 'rejected', message: expect.stringContaining(words) })
    expect(progress).toEqual([])
  })
})
