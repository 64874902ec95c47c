import { createHash, randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { request } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { useTemporaryHome } from '../../support/temporary-home.ts'
import { waitUntil } from '../../support/wait-until.ts'
import { sleepInput, useWorker, writeHandler } from './worker-harness.ts'

const hashOf = (bytes: string | Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/** Sends a body in chunks, without saying how long it is. */
function sendChunked(url: string, path: string, chunks: Iterable<Buffer>): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url)
    const sent = request({ hostname, port, path, method: 'PUT' }, (answer) => {
      let body = ''
      answer.setEncoding('utf8').on('data', (text: string) => {
        body += text
      })
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body }))
    })
    sent.on('error', reject)
    for (const chunk of chunks) sent.write(chunk)
    sent.end()
  })
}

test('a file is kept by its hash, and only with that content', async () => {
  const { ask, home } = await useWorker()
  const bytes = randomBytes(700_000)
  const path = `/files/${hashOf(bytes)}`
  expect((await ask(path, { method: 'HEAD' })).status).toBe(404)
  expect(await ask(path, { method: 'PUT', body: 'something else' })).toMatchObject({
    status: 422,
    body: { code: 'hash_differs' },
  })
  expect(readdirSync(join(home, 'files'))).toEqual([])
  expect((await ask(path, { method: 'PUT', body: bytes })).status).toBe(201)
  expect((await ask(path, { method: 'PUT', body: bytes })).status).toBe(200)
  const head = await ask(path, { method: 'HEAD' })
  expect([head.status, head.headers.get('content-length')]).toEqual([200, '700000'])
  expect((await ask('/files/..%2Fworker.lock')).status).toBe(400)
})

test('files together are bounded', async () => {
  const { ask, worker, home } = await useWorker({ fileLimits: { totalBytes: 100_000, freeBytes: 0 } })
  const small = randomBytes(60_000)
  expect((await ask(`/files/${hashOf(small)}`, { method: 'PUT', body: small })).status).toBe(201)
  const more = randomBytes(60_000)
  const refused = await ask(`/files/${hashOf(more)}`, { method: 'PUT', body: more })
  expect(refused).toMatchObject({ status: 409, body: { code: 'busy' } })
  expect(refused.headers.get('retry-after')).not.toBeNull()
  // One that does not say how long it is.
  const chunks = [more.subarray(0, 30_000), more.subarray(30_000)]
  expect((await sendChunked(worker.url, `/files/${hashOf(more)}`, chunks)).status).toBe(409)
  await waitUntil(() => readdirSync(join(home, 'files')).length === 1, { what: 'no half file' })
})

test('a prediction without a length that is too large is refused while it comes', async () => {
  const { worker } = await useWorker()
  const chunks = Array.from({ length: 40 }, () => Buffer.alloc(64 * 1024, ' '))
  const answer = await sendChunked(worker.url, '/predictions/p1', chunks)
  expect(answer.status).toBe(413)
  expect(JSON.parse(answer.body)).toMatchObject({ code: 'too_large' })
})

test('a sender that sends nothing more is given up', async () => {
  const { worker } = await useWorker({ pace: { bodyMs: 300, pieceMs: 300, fileMs: 1_000 } })
  const silent = (head: string) =>
    new Promise<number>((resolve) => {
      const began = performance.now()
      const socket = connect(worker.port, '127.0.0.1', () => socket.write(head))
      socket.on('error', () => undefined).on('close', () => resolve(performance.now() - began))
      socket.resume()
    })
  const heads = [
    'PUT /predictions/p1 HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{"inp',
    `PUT /files/${hashOf('x')} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\nabc`,
  ]
  for (const ms of await Promise.all(heads.map(silent))) expect(ms).toBeLessThan(5_000)
})

test('an input may be a file, sent again as a file or as itself, and is forgotten with its prediction', async () => {
  const { ask, put, untilEnded, home } = await useWorker()
  const input = sleepInput(0, { params: { seconds: 0, result: 'x'.repeat(100) } })
  const text = JSON.stringify(input)
  const missing = await ask('/predictions/p1', { method: 'PUT', body: { input_sha256: hashOf(text) } })
  expect(missing).toMatchObject({ status: 422, body: { code: 'file_missing' } })
  await ask(`/files/${hashOf(text)}`, { method: 'PUT', body: text })
  const body = { input_sha256: hashOf(text) }
  expect((await ask('/predictions/p1', { method: 'PUT', body })).status).toBe(202)
  expect((await untilEnded('p1')).output).toBe('x'.repeat(100))
  expect((await ask('/predictions/p1', { method: 'PUT', body })).status).toBe(200)
  expect((await put('p1', input)).status).toBe(200)
  await ask('/predictions/p1', { method: 'DELETE' })
  expect(readdirSync(join(home, 'files'))).toEqual([])
  expect(readdirSync(join(home, 'attempts'))).toEqual([])
  expect(readdirSync(join(home, 'predictions'))).toEqual([])
})

const saving = `
import { defineHandler, z } from 'nightkiln/handler'
export default defineHandler({
  type: 'saving', title: 'Save', description: 'Saves a large checkpoint.',
  params: z.object({}), result: z.json(),
  async run(context) {
    if (context.lastCheckpoint !== null) return { went_on_from: context.lastCheckpoint.text.length }
    context.checkpoint({ text: 'c'.repeat(400_000) })
    await context.cancellation.wait(60_000)
  },
})
`

test('a large checkpoint travels as a file, both ways', async () => {
  const { home } = useTemporaryHome()
  writeHandler(home, 'saving', saving)
  const { ask, put, look, untilEnded } = await useWorker({ home })
  const input = (more: object = {}) => sleepInput(0, { type: 'saving', params: {}, ...more })
  await put('p1', input())
  const told = await waitUntil(async () => (await look('p1')).checkpoint, { what: 'a checkpoint' })
  expect(told.inline).toBeUndefined()
  const text = (await ask(`/files/${told.sha256}`)).body as string
  expect(hashOf(text)).toBe(told.sha256)
  expect(JSON.parse(text).text).toHaveLength(400_000)
  await ask('/predictions/p1/cancel', { method: 'POST' })
  expect((await untilEnded('p1')).checkpoint).toEqual(told)
  await put('p2', input({ resume: told, attempt: 2 }))
  expect((await untilEnded('p2')).output).toEqual({ went_on_from: 400_000 })
})
