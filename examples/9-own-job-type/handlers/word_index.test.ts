// node --import tsx --test word_index.test.ts
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { runHandler } from 'nightkiln/handler/testing'
import wordIndex from './word_index.ts'

let folder = ''
let path = ''

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'word-index-'))
  path = join(folder, 'tale.txt')
  await writeFile(path, `${'the night and the kiln\n'.repeat(40_000)}the end\n`)
})

after(() => rm(folder, { recursive: true }))

test('counts, sorts and keeps the whole index', async () => {
  const run = await runHandler(wordIndex, { params: { top: 2 }, unit: { path } })
  assert.deepEqual(run.result?.top, [
    { word: 'the', times: 80_001 },
    { word: 'and', times: 40_000 },
  ])
  assert.match(await readFile(run.artifacts[0]?.path ?? '', 'utf8'), /^80001\tthe\n40000\tand\n40000\tkiln\n/)
})

test('goes on where it was', async () => {
  const lastCheckpoint = { position: 460_000, counts: { the: 40_000, night: 20_000, and: 20_000, kiln: 20_000 } }
  const run = await runHandler(wordIndex, { params: {}, unit: { path }, lastCheckpoint, attempt: 2 })
  assert.deepEqual(run.result?.top[0], { word: 'the', times: 80_001 })
  assert.equal(run.logs[0]?.message, 'going on')
})

test('stops when it is cancelled', async () => {
  const stop = new AbortController()
  const run = await runHandler(wordIndex, {
    params: {},
    unit: { path },
    signal: stop.signal,
    onProgress: () => stop.abort(),
  })
  assert.equal(run.outcome.kind, 'cancelled')
  assert.equal(run.progress.length, 1)
})

test('refuses what is no text', async () => {
  const binary = join(folder, 'picture.png')
  await writeFile(binary, Buffer.from([0x89, 0x50, 0, 0]))
  const run = await runHandler(wordIndex, { params: {}, unit: { path: binary } })
  assert.equal(run.outcome.kind, 'rejected')
})
