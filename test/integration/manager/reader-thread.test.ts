import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, onTestFinished, test } from 'vitest'
import { ReaderThread, type ReaderThreadOptions } from '../../../src/manager/runtime/reader-thread.ts'
import { jobIdOf, newJob, start, submit } from '../../conformance/support/jobs.ts'
import { openHistory } from './history-under-test.ts'

function openReader(options: Partial<ReaderThreadOptions> = {}) {
  const history = openHistory()
  const errors: string[] = []
  const reader = new ReaderThread({
    databaseFile: history.databaseFile,
    instanceId: 'instance-1',
    log: { error: (_details, message) => errors.push(message) },
    ...options,
  })
  onTestFinished(() => reader.close())
  return { ...history, reader, errors }
}

/** The entry of a thread that does as the script says. */
function threadEntry(history: { databaseFile: string }, script: string): string {
  const file = join(history.databaseFile, '..', 'thread.mjs')
  writeFileSync(file, `import { parentPort } from 'node:worker_threads'\n${script}`)
  return file
}

test('reads what was committed before the call, as the store does', async () => {
  const { reader, store, complete } = openReader()
  complete(1, start, { name: 'render kiln', params: { argv: ['x'] } })
  submit(store, newJob(2, { name: 'other' }))
  expect(await reader.listJobs({ text: 'kil' }, { limit: 5 })).toEqual(store.listJobs({ text: 'kil' }, { limit: 5 }))
  expect((await reader.readParams([jobIdOf(1), jobIdOf(9)])).get(jobIdOf(1))).toEqual({ argv: ['x'] })
  expect(await reader.readUnitRecords(jobIdOf(1), { limit: 5 })).toMatchObject([
    { unit: { state: 'completed' }, input: { position: 0 }, output: { number: 1 }, lastAttempt: { exitCode: 0 } },
  ])
  expect(await reader.readStatistics(start + 1)).toEqual(store.readStatistics(start + 1))
  const [unit] = store.readUnits(jobIdOf(1), { limit: 1 })
  expect(await reader.findUnits([unit?.id ?? '', 'nothing'])).toEqual([unit?.id])
  const first = await reader.readStoredBytes(0, 1)
  expect(first.bytes).toBe(20 + '{"number":1}'.length)
  expect(await reader.readJobBytes([jobIdOf(1), jobIdOf(2)])).toBe(first.bytes)
  expect((await reader.readStoredBytes(first.lastSeq ?? 0, 10)).bytes).toBe(0)
  expect((await reader.readStoredBytes(1_000, 10)).lastSeq).toBeNull()
  submit(store, newJob(3))
  expect(await reader.listJobs({}, { limit: 1 })).toMatchObject([{ id: jobIdOf(3) }])
})

test('keeps no read transaction open: the log of the database can be emptied between two calls', async () => {
  const { reader, store, databaseFile } = openReader()
  submit(store, newJob(1))
  await reader.listJobs({}, { limit: 5 })
  submit(store, newJob(2))
  const database = new Database(databaseFile)
  const [checkpoint] = database.pragma('wal_checkpoint(TRUNCATE)') as { busy: number }[]
  database.close()
  expect(checkpoint?.busy).toBe(0)
  expect(await reader.listJobs({}, { limit: 5 })).toHaveLength(2)
})

test('refuses the database of another instance, and goes on when it is the right one', async () => {
  const { reader } = openReader({ instanceId: 'another' })
  await expect(reader.listJobs({}, { limit: 5 })).rejects.toMatchObject({ code: 'storage_refused' })
  await expect(reader.listJobs({}, { limit: 5 })).rejects.toMatchObject({ code: 'storage_refused' })
})

test('one call at a time, answered in order', async () => {
  const { databaseFile } = openHistory()
  const script = `
    let busy = false
    parentPort.on('message', (call) => {
      if (call === 'close') return parentPort.close()
      if (busy) throw new Error('two calls at once')
      busy = true
      setTimeout(() => { busy = false; parentPort.postMessage({ id: call.id, value: call.args[0] }) }, 20)
    })`
  const { reader } = openReader({ entry: threadEntry({ databaseFile }, script) })
  const answers = await Promise.all([1, 2, 3, 4].map((now) => reader.readStatistics(now)))
  expect(answers).toEqual([1, 2, 3, 4])
})

test('a thread that dies rejects its calls; the next call makes another', async () => {
  const { databaseFile } = openHistory()
  const script = `
    parentPort.on('message', (call) => {
      if (call === 'close') return parentPort.close()
      if (call.method === 'readStatistics') throw new Error('broken')
      parentPort.postMessage({ id: call.id, value: [] })
    })`
  const { reader, errors } = openReader({ entry: threadEntry({ databaseFile }, script) })
  const calls = [reader.readStatistics(1), reader.listJobs({}, { limit: 1 })]
  for (const call of calls)
    await expect(call).rejects.toMatchObject({
      code: 'internal',
      message: expect.stringContaining('broken') as unknown,
    })
  expect(errors).toEqual(['the reader thread failed'])
  expect(await reader.listJobs({}, { limit: 1 })).toEqual([])
})

test('closing waits for the call in progress, refuses those that wait, and ends the thread', async () => {
  const { databaseFile } = openHistory()
  const done = join(databaseFile, '..', 'done')
  const script = `
    import { writeFileSync } from 'node:fs'
    parentPort.on('message', (call) => {
      if (call === 'close') { writeFileSync(${JSON.stringify(done)}, ''); return parentPort.close() }
      setTimeout(() => parentPort.postMessage({ id: call.id, value: 'read' }), 50)
    })`
  const { reader } = openReader({ entry: threadEntry({ databaseFile }, script) })
  const running = reader.readStatistics(1)
  const waiting = reader.readStatistics(2)
  const refused = expect(waiting).rejects.toMatchObject({ code: 'manager_unavailable' })
  await reader.close()
  expect(await running).toBe('read')
  await refused
  expect(existsSync(done)).toBe(true)
  await expect(reader.readStatistics(3)).rejects.toMatchObject({ code: 'manager_unavailable' })
  await reader.close()
})
