import { createHash } from 'node:crypto'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { largestFileBytes } from '../../domain/wire/prediction.ts'
import { WorkerFault } from '../worker-client.ts'
import { type Answer, piecesOf } from './read-answer.ts'
import { fileDeadlineMs, type WorkerTimeouts } from './timeouts.ts'
import type { Call, WorkerChannel } from './worker-channel.ts'

/** Reads a file that must be there. @throws WorkerFault file_missing */
async function getFile<Result>(
  channel: WorkerChannel,
  call: Omit<Call, 'method' | 'path' | 'accept'> & { readonly sha256: string },
  use: (answer: Answer) => Promise<Result>,
): Promise<Result> {
  const { sha256, ...rest } = call
  return channel
    .call({ ...rest, method: 'GET', path: `files/${sha256}`, accept: [200] }, use)
    .catch((error: unknown) => {
      if (!(error instanceof WorkerFault) || error.code !== 'HTTP_404') throw error
      throw new WorkerFault('file_missing', 'FILE_MISSING', 'it has no such file (any more)')
    })
}

function checkSum(actual: string, expected: string): void {
  if (actual !== expected) throw new WorkerFault('protocol', 'WRONG_HASH', 'it sent a file with another content')
}

export async function hasFile(channel: WorkerChannel, sha256: string, signal?: AbortSignal): Promise<boolean> {
  return channel.call(
    { method: 'HEAD', path: `files/${sha256}`, accept: [200, 204, 404], maxBytes: 0, signal },
    async (answer) => {
      await answer.body.dump()
      return answer.statusCode !== 404
    },
  )
}

export async function putFile(
  channel: WorkerChannel,
  timeouts: WorkerTimeouts,
  sha256: string,
  bytes: Uint8Array,
  signal?: AbortSignal,
): Promise<void> {
  const deadlineMs = fileDeadlineMs(timeouts, bytes.length)
  await channel.call(
    {
      method: 'PUT',
      path: `files/${sha256}`,
      headers: { 'content-type': 'application/octet-stream' },
      body: bytes,
      accept: [200, 201, 204],
      maxBytes: 64 * 1024,
      deadlineMs,
      // The time of sending counts, too.
      headersMs: deadlineMs,
      signal,
    },
    (answer) => answer.body.dump(),
  )
}

export async function readFile(
  channel: WorkerChannel,
  timeouts: WorkerTimeouts,
  sha256: string,
  maxBytes: number,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  return getFile(
    channel,
    {
      sha256,
      maxBytes,
      deadlineMs: fileDeadlineMs(timeouts, maxBytes),
      signal,
    },
    async (answer) => {
      const pieces: Buffer[] = []
      for await (const piece of piecesOf(answer, maxBytes)) pieces.push(piece)
      const whole = Buffer.concat(pieces)
      checkSum(createHash('sha256').update(whole).digest('hex'), sha256)
      return whole
    },
  )
}

async function writeAll(file: FileHandle, piece: Uint8Array): Promise<void> {
  for (let done = 0; done < piece.length; ) done += (await file.write(piece, done)).bytesWritten
}

/** Streams a file beside `target`, checks size and hash, makes it durable, renames it. */
export async function fetchFile(
  channel: WorkerChannel,
  timeouts: WorkerTimeouts,
  wanted: { readonly sha256: string; readonly bytes: number; readonly target: string },
  signal?: AbortSignal,
): Promise<void> {
  const { sha256, bytes, target } = wanted
  if (bytes > largestFileBytes) {
    throw new WorkerFault('protocol', 'TOO_LARGE', `its file is larger than ${largestFileBytes} bytes`)
  }
  const beside = `${target}.${process.pid}.part`
  const file = await open(beside, 'w', 0o600)
  try {
    await getFile(
      channel,
      {
        sha256,
        maxBytes: bytes,
        deadlineMs: fileDeadlineMs(timeouts, bytes),
        signal,
      },
      async (answer) => {
        const hash = createHash('sha256')
        let received = 0
        for await (const piece of piecesOf(answer, bytes)) {
          received += piece.length
          hash.update(piece)
          await writeAll(file, piece)
        }
        if (received !== bytes) {
          throw new WorkerFault('protocol', 'WRONG_SIZE', `it sent ${received} bytes of a file of ${bytes}`)
        }
        checkSum(hash.digest('hex'), sha256)
      },
    )
    await file.sync()
    await file.close()
    await rename(beside, target)
  } catch (error) {
    await file.close().catch(() => undefined)
    await rm(beside, { force: true })
    throw error
  }
}
