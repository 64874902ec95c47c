import { createHash, randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { useDirectory } from './certificates.ts'
import { clientOf, faultOf } from './client-under-test.ts'
import { serveWorker } from './worker-server.ts'

const content = randomBytes(300_000)
const sha256 = createHash('sha256').update(content).digest('hex')

async function serveContent(sent: Buffer | null, headers: Record<string, string> = {}) {
  const worker = await serveWorker({
    answer: (_, response) => {
      response.writeHead(sent === null ? 404 : 200, headers)
      response.end(sent ?? 'there is no such file here, and here is a long explanation of that fact')
    },
  })
  return clientOf(worker.url)
}

describe('a file', () => {
  test('is sent as it is, and asked for by its hash', async () => {
    const kept = new Map<string, Buffer>()
    const worker = await serveWorker({
      answer: (request, response) => {
        const pieces: Buffer[] = []
        request.on('data', (piece: Buffer) => pieces.push(piece))
        request.on('end', () => {
          const path = request.url ?? ''
          if (request.method === 'PUT') kept.set(path, Buffer.concat(pieces))
          response.writeHead(request.method === 'PUT' ? 201 : kept.has(path) ? 200 : 404)
          response.end()
        })
      },
    })
    const client = clientOf(worker.url)
    expect(await client.hasFile(sha256)).toBe(false)
    await client.putFile(sha256, content)
    expect(await client.hasFile(sha256)).toBe(true)
    expect(kept.get(`/files/${sha256}`)?.equals(content)).toBe(true)
  })

  test('arrives whole', async () => {
    const client = await serveContent(content)
    const target = join(useDirectory(), 'result')
    await client.fetchFile(sha256, content.length, target)
    expect(readFileSync(target).equals(content)).toBe(true)
    expect(Buffer.from(await client.readFile(sha256, content.length)).equals(content)).toBe(true)
  })

  test.each([
    ['is longer than it was said', Buffer.concat([content, content]), {}, 'TOO_LARGE', 'protocol'],
    ['is shorter than it was said', content.subarray(1), {}, 'WRONG_SIZE', 'protocol'],
    ['has another content', Buffer.alloc(content.length), {}, 'WRONG_HASH', 'protocol'],
    ['is compressed', content, { 'content-encoding': 'gzip' }, 'CONTENT_ENCODING', 'protocol'],
    ['is not there', null, {}, 'FILE_MISSING', 'file_missing'],
  ])('that %s leaves nothing', async (_, sent, headers, code, kind) => {
    const client = await serveContent(sent, headers)
    const directory = useDirectory()
    expect(await faultOf(client.fetchFile(sha256, content.length, join(directory, 'result')))).toMatchObject({
      kind,
      code,
    })
    expect(readdirSync(directory)).toEqual([])
  })

  test('that is not there is told as such, however small it was to be', async () => {
    const client = await serveContent(null)
    expect(await faultOf(client.readFile(sha256, 1))).toMatchObject({ kind: 'file_missing', code: 'FILE_MISSING' })
  })

  test('that is too large, or another one, is not read into memory', async () => {
    const client = await serveContent(content)
    expect(await faultOf(client.readFile(sha256, 1_000))).toMatchObject({ kind: 'protocol', code: 'TOO_LARGE' })
    expect(await faultOf(client.readFile('0'.repeat(64), 400_000))).toMatchObject({ code: 'WRONG_HASH' })
  })
})
