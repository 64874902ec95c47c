// Entry of the reader thread: answers one call at a time on a read-only connection of its own.
import { parentPort, workerData } from 'node:worker_threads'
import { QueueError } from '../domain/errors.ts'
import { HistoryReads } from './history-reads.ts'
import { toStorageError } from './storage-errors.ts'

interface Call {
  readonly id: number
  readonly method: Exclude<keyof HistoryReads, 'close'>
  readonly args: readonly unknown[]
}

const { databaseFile, instanceId } = workerData as { databaseFile: string; instanceId: string }
const port = parentPort
if (port === null) throw new Error('reader-main.js is the entry of a thread')

let reads: HistoryReads | null = null

function answer({ method, args }: Call): unknown {
  reads ??= new HistoryReads(databaseFile, instanceId)
  return Reflect.apply(reads[method], reads, args)
}

port.on('message', (message: Call | 'close') => {
  if (message === 'close') {
    reads?.close()
    port.close()
    return
  }
  try {
    port.postMessage({ id: message.id, value: answer(message) })
  } catch (thrown) {
    // After an error nothing of the connection is trusted; the next call opens it anew.
    reads?.close()
    reads = null
    const error = toStorageError(thrown)
    const {
      code,
      message: text,
      remedy,
    } = error instanceof QueueError ? error : new QueueError('internal', `reading failed: ${String(error)}`)
    port.postMessage({ id: message.id, error: { code, message: text, remedy } })
  }
})
