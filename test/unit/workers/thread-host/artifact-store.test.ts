import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { ArtifactStore } from '../../../../src/workers/thread-host/in-thread/artifact-store.ts'

function openStore() {
  const directory = mkdtempSync(join(tmpdir(), 'nk-artifacts-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const attempt = join(directory, 'attempt')
  const elsewhere = join(directory, 'elsewhere')
  for (const made of [attempt, elsewhere]) mkdirSync(made)
  const store = new ArtifactStore(
    () => attempt,
    () => undefined,
  )
  return { store, attempt, elsewhere }
}

test('nothing is written through a link in place of the directory of the artifacts', async () => {
  const { store, attempt, elsewhere } = openStore()
  symlinkSync(elsewhere, join(attempt, 'artifacts'))
  await expect(store.keep('a.txt', 'text')).rejects.toThrow('was replaced by a link')
  expect(readdirSync(elsewhere)).toEqual([])
  expect(store.kept).toEqual([])
})

test('the name of large results is refused, however it is written', async () => {
  const { store } = openStore()
  await expect(store.keep('RESULT.json', 'text')).rejects.toThrow('is kept for results that are too large')
})
