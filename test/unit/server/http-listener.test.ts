import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, expect, onTestFinished, test } from 'vitest'
import { largestBodyBytes } from '../../../src/server/http/guard.ts'
import type { HttpApp } from '../../../src/server/http/http-app.ts'
import {
  type HttpListener,
  type ListenerLimits,
  listenHttp,
  usualLimits,
} from '../../../src/server/http/http-listener.ts'
import { headersFor, modernMessage, post, refusalOf, send, useApp } from './http-support.ts'

const list = modernMessage('tools/list')

async function listening(app: HttpApp, limits: Partial<ListenerLimits> = {}): Promise<HttpListener & { url: string }> {
  const listener = await listenHttp(app, { host: '127.0.0.1', port: 0 }, { ...usualLimits, ...limits })
  onTestFinished(() => listener.close(0))
  return { ...listener, url: `${listener.origin}/mcp` }
}

function call(what: string, more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return modernMessage('tools/call', { name: 'any', arguments: { do: what, ...more } })
}

async function* pieces(count: number, piece: string, before = ''): AsyncGenerator<string> {
  if (before !== '') yield before
  for (let sent = 0; sent < count; sent += 1) yield piece
}

/** Bytes as they are, over one connection. @returns all that came back until the server ended it */
async function raw(listener: HttpListener, bytes: string): Promise<string> {
  const socket = connect(listener.port, '127.0.0.1')
  socket.write(bytes)
  return text(socket)
}

describe('a message', () => {
  test('is answered, and what is wrong with another is told', async () => {
    const { url } = await listening(useApp().app)
    expect((await post(url, list)).status).toBe(200)
    expect((await post(url.replace('/mcp', '/other'), list)).status).toBe(404)
    expect((await post(url, list, { host: 'evil.example' })).status).toBe(403)
    expect((await post(url, list, { origin: 'https://evil.example' })).status).toBe(403)
    expect((await post(url, list, { 'content-type': 'text/plain' })).status).toBe(415)
    expect((await send({ url, method: 'GET' })).status).toBe(405)
    const noJson = await send({ url, headers: headersFor(list), body: '{"jsonrpc"' })
    expect([noJson.status, refusalOf(noJson.text).code]).toEqual([400, -32_700])
    expect((await send({ url, headers: headersFor(list), body: '' })).status).toBe(400)
    expect((await send({ url, headers: headersFor(list), body: '['.repeat(100_000) })).status).toBe(400)
    expect((await post(url, [list, list])).status).toBe(400)
    expect((await post(url, list)).status).toBe(200)
  })

  test('of more than the limit is refused while it arrives, whatever was declared', async () => {
    const { url } = await listening(useApp().app)
    // A connection that lasts, as clients have: one that ends with the answer may end below what is still being sent.
    const headers = headersFor(list, { connection: 'keep-alive' })
    const piece = 'x'.repeat(256 * 1024)
    const declared = { ...headers, 'content-length': String(largestBodyBytes + 1) }
    expect((await send({ url, headers: declared, body: pieces(1, 'x') })).status).toBe(413)
    const chunked = await send({ url, headers, body: pieces(60, piece) })
    expect([chunked.status, refusalOf(chunked.text).message]).toEqual([413, expect.stringContaining('file')])
    const whole = JSON.stringify(list)
    expect((await send({ url, headers, body: pieces(38, piece.replaceAll('x', ' '), whole) })).status).toBe(200)
  })

  test('whose chunks or length are a lie harms nobody', async () => {
    const listener = await listening(useApp().app)
    const head = `POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAuthorization: Bearer ann\r\n`
    const body = JSON.stringify(list)
    expect(await raw(listener, `${head}Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n${body}`)).toMatch(
      / 400 /,
    )
    expect(await raw(listener, `${head}Transfer-Encoding: chunked\r\n\r\nzz\r\n${body}\r\n0\r\n\r\n`)).toMatch(/ 400 /)
    expect(
      await raw(
        listener,
        `${head}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\nGET /mcp HTTP/1.1\r\n\r\n`,
      ),
    ).toMatch(/^HTTP\/1.1 400 /)
    expect(await raw(listener, `POST /mcp HTTP/1.1\r\nConnection: close\r\n\r\n`)).toMatch(/ 400 /)
    expect(await raw(listener, `${head}X-Long: ${'x'.repeat(20_000)}\r\n\r\n`)).toMatch(/ 431 /)
    expect(
      await raw(listener, `GET http://evil.example/mcp HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n`),
    ).toMatch(/ 403 /)
    expect((await post(listener.url, list)).status).toBe(200)
  })

  test('that trickles in is cut off', async () => {
    const listener = await listening(useApp().app, { headersMs: 100, requestMs: 200 })
    const head = 'POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n'
    const [headers, body] = await Promise.all([
      raw(listener, head),
      raw(listener, `${head}Authorization: Bearer ann\r\nContent-Length: 100\r\n\r\n{`),
    ])
    expect(headers).toMatch(/ 408 /)
    expect(body).toMatch(/^(HTTP\/1.1 40[08] |$)/)
    expect((await post(listener.url, list)).status).toBe(200)
  })
})

describe('a stream', () => {
  test('that its client closes cancels its request, and no other', async () => {
    const { app, witness } = useApp()
    const { url } = await listening(app)
    const leaving = new AbortController()
    const first = send({
      url,
      headers: headersFor(call('first')),
      body: JSON.stringify(call('first')),
      signal: leaving.signal,
    })
    const second = send({ url, headers: headersFor(call('second')), body: JSON.stringify(call('second')) })
    await expect.poll(() => witness.calls.length).toBe(2)
    leaving.abort()
    await expect(first).rejects.toThrow()
    await expect.poll(() => witness.cancelled).toEqual(['first'])
    await app.close()
    await second.catch(() => undefined)
  })

  test('that its client does not read ends', async () => {
    const { app, witness } = useApp()
    const { url } = await listening(app)
    const message = call('flood')
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    socket.pause()
    const body = JSON.stringify(message)
    const headers = Object.entries(headersFor(message, { host: 'localhost', 'content-length': String(body.length) }))
    socket.write(`POST /mcp HTTP/1.1\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`)
    await expect.poll(() => witness.cancelled, { timeout: 15_000 }).toEqual(['flood'])
    socket.destroy()
  })
})

test('a flood is told to come back, and what was open goes on', async () => {
  const { app, witness } = useApp()
  const { url } = await listening(app)
  const open = Array.from({ length: 256 }, () => post(url, call('hang')).catch(() => null))
  await expect.poll(() => witness.calls.length).toBe(256)
  const refused = await post(url, list)
  expect([refused.status, refused.headers['retry-after']]).toEqual([503, '1'])
  expect(witness.cancelled).toEqual([])
  await app.close()
  await Promise.all(open)
})

test('large messages at once are told to come back before they fill the memory', async () => {
  const { app, witness } = useApp()
  const { url } = await listening(app)
  const padded = (what: string) => call(what, { padding: 'x'.repeat(9 * 1024 * 1024) })
  const open: Promise<unknown>[] = []
  for (let count = 1; count <= 14; count += 1) {
    open.push(post(url, padded('hang')).catch(() => null))
    await expect.poll(() => witness.calls.length, { timeout: 10_000 }).toBe(count)
  }
  expect(await post(url, padded('answer'))).toMatchObject({ status: 503 })
  expect(await post(url, list)).toMatchObject({ status: 200 })
  await app.close()
  await Promise.all(open)
})

test('the end closes what is open at once', async () => {
  const { app, witness } = useApp()
  const listener = await listening(app)
  const open = post(listener.url, call('hang')).catch(() => null)
  await expect.poll(() => witness.calls.length).toBe(1)
  const started = performance.now()
  await app.close()
  await listener.close(300)
  await open
  expect(performance.now() - started).toBeLessThan(2_000)
})

test('an address that another program has is an error with a remedy', async () => {
  const { app } = useApp()
  const { port } = await listening(app)
  await expect(listenHttp(app, { host: '127.0.0.1', port })).rejects.toMatchObject({
    code: 'config_invalid',
    message: expect.stringContaining('another program listens'),
  })
})
