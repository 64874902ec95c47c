import { expect, onTestFinished, test } from 'vitest'
import { HistoryReads } from '../../../src/persistence/history-reads.ts'
import {
  artifact,
  brokenRecord,
  claim,
  facts,
  jobIdOf,
  newJob,
  start,
  submit,
  worker,
} from '../../conformance/support/jobs.ts'
import { useStateDirectory } from './support.ts'

function openReads() {
  const { open, databaseFile } = useStateDirectory()
  const store = open()
  store.adoptInstanceId('instance-1', start)
  store.raiseEpoch('test', start)
  store.registerWorker(worker, start, start + 30_000)
  const reads = new HistoryReads(databaseFile, 'instance-1')
  onTestFinished(() => reads.close())
  return { store, reads }
}

test('output, artifacts, results and checkpoints count, of every attempt; deleting gives as much back', () => {
  const { store, reads } = openReads()
  submit(store, newJob(1, { maxAttempts: 2 }))
  for (const bytes of [1_000, 200]) {
    const { fence } = claim(store, jobIdOf(1))
    store.recordArtifactsIfHeld(fence, [artifact('a', bytes), artifact('b', 50)])
    store.recordCheckpointIfHeld(fence, { state: { page: 12 }, format: 'pages/1' })
    const ended = facts({ error: brokenRecord, outputBytes: 30, droppedBytes: 10, now: start })
    store.failUnitIfHeld(fence, 'failed', start, 'none', ended)
  }
  const kept = 2 * (20 + 50) + 1_200 + '"none"'.length + '{"page":12}'.length
  expect(reads.readJobBytes([jobIdOf(1)])).toBe(kept)
  expect(reads.readStoredBytes(0, 10).bytes).toBe(kept)

  submit(store, newJob(2))
  const { fence } = claim(store, jobIdOf(2))
  store.recordCheckpointIfHeld(fence, { state: 'x'.repeat(500), format: null })
  store.completeUnitIfHeld(fence, 'done', facts({ outputBytes: 0 }))
  expect(reads.readJobBytes([jobIdOf(2)])).toBe('"done"'.length)

  expect(store.deleteJobSlice(jobIdOf(1), 10)?.bytes).toBe(kept)
  expect(reads.readStoredBytes(0, 10).bytes).toBe('"done"'.length)
})
