import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { readCheckpoint } from '../../../src/workers/threads/checkpoint-file.ts'
import { repositoryRoot } from '../../support/repository.ts'
import { makeJob, useThreads } from './threads-harness.ts'

/** More than is read or written at once. */
const filler = 'x'.repeat(300_000)
const wanted = 60

const code = `
import { defineHandler, z } from '${join(repositoryRoot, 'dist', 'handler', 'index.js')}'
export default defineHandler({
  type: 'saving', title: 'Saving', description: 'Saves without a pause.', params: z.object({}), result: z.any(),
  async run({ checkpoint, cancellation }) {
    for (let saved = 1; ; saved += 1) {
      cancellation.throwIfCancelled()
      checkpoint({ saved, filler: '${'x'.repeat(100)}'.repeat(3_000), again: saved })
    }
  },
})
`

test('the newest checkpoint of an attempt can be read while its thread writes the next one', async () => {
  const harness = useThreads()
  const file = join(harness.home, 'saving.mjs')
  writeFileSync(file, code)
  const hostEntry = join(repositoryRoot, 'dist', 'workers', 'thread-host', 'host-main.js')
  const manager = await harness.manager({ hostEntry })
  manager.executor.adopted()
  const { handler } = makeJob(harness.home)
  const attempt = manager.start({}, {}, { handler: { ...handler, type: 'saving', file, reusable: false } })
  const directory = harness.directory(attempt)
  const seen = new Set<number>()
  let newest = 0
  while (seen.size < wanted) {
    expect(attempt.ends).toEqual([])
    const state = readCheckpoint(directory) as { saved: number; filler: string; again: number } | undefined
    // Nothing is there only before the first one.
    if (state !== undefined || newest > 0) {
      expect(state).toEqual({ saved: state?.again, filler, again: expect.any(Number) })
      expect(state?.saved).toBeGreaterThanOrEqual(newest)
      newest = state?.saved ?? 0
      seen.add(newest)
    }
    await nextTurn()
  }
  attempt.control.stop('cancel')
  const end = await attempt.end()
  expect(end).toMatchObject({ kind: 'stopped', checkpoint: { saved: expect.any(Number) } })
  const last = (end as { checkpoint?: { saved: number } }).checkpoint?.saved ?? 0
  expect(last).toBeGreaterThanOrEqual(newest)
})
