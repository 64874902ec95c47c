import { createHash } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type Given, request } from './http-run.ts'
import { bodyOf, serve, serveRaw } from './web-server.ts'

const fileWith = (text: string): string => {
  const directory = mkdtempSync(join(tmpdir(), 'nk-secret-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const file = join(directory, 'token')
  writeFileSync(file, text)
  chmodSync(file, 0o600)
  return file
}

describe('an answer', () => {
  test('gives status, chosen headers and JSON', async () => {
    const { origin } = await serve((_, response) => {
      response.setHeader('content-type', 'application/json; charset=utf-8')
      response.setHeader('x-mine', ['a', 'b'])
      response.end('{"answer":[42,"ä"]}')
    })
    const { outcome, result } = await request({ url: `${origin}/q?x=1`, response_headers: ['X-Mine', 'content-type'] })
    expect(outcome).toEqual({ kind: 'completed' })
    expect(result).toEqual({
      status: 200,
      url: `${origin}/q?x=1`,
      headers: { 'x-mine': 'a, b', 'content-type': 'application/json; charset=utf-8' },
      body: { answer: [42, 'ä'] },
      bytes: 20,
    })
  })

  test.each([
    ['text/plain; charset=iso-8859-1', Buffer.from('f\xfcr', 'latin1'), { body: 'für' }],
    ['text/plain; charset=klingon', Buffer.from('für'), { body: 'für' }],
    ['application/problem+json', Buffer.from('{"a":1}'), { body: { a: 1 } }],
    ['application/json', Buffer.from('{"a":'), { body: '{"a":' }],
    ['application/json', Buffer.from('{"a":[1e400]}'), { body: '{"a":[1e400]}' }],
    ['application/json', Buffer.from('['.repeat(100_000)), { body: '['.repeat(100_000) }],
    ['image/svg+xml', Buffer.from('<svg/>'), { body: '<svg/>' }],
    ['image/png', Buffer.from([137, 80]), { body_left_out: 'image/png is not text; use "download": true' }],
    [undefined, Buffer.from('plain'), { body: 'plain' }],
    [undefined, Buffer.from([255, 254, 253]), { body_left_out: 'it is not text; use "download": true' }],
    ['image/png', Buffer.alloc(0), { body: '' }],
  ])('of the type %s is read as such', async (type, content, expected) => {
    const { origin } = await serve((_, response) => {
      if (type !== undefined) response.setHeader('content-type', type)
      response.end(content)
    })
    const { result } = await request({ url: origin })
    expect(result).toMatchObject({ ...expected, bytes: content.length })
    expect(Object.keys(result ?? {}).filter((name) => name.startsWith('body'))).toEqual(Object.keys(expected))
  })

  test('is JSON when that is demanded, or the attempt fails', async () => {
    const { origin } = await serve(({ url }, response) => {
      response.setHeader('content-type', 'text/html')
      response.end(url === '/good' ? '[1]' : '<h1>Down for maintenance</h1>')
    })
    expect((await request({ url: `${origin}/good`, read: 'json' })).result?.body).toEqual([1])
    expect((await request({ url: origin, read: 'json' })).outcome).toMatchObject({
      kind: 'failed',
      message: expect.stringContaining('is not JSON: <h1>Down'),
    })
  })

  test('is left out when nobody wants it', async () => {
    const { origin } = await serve((_, response) => {
      response.write('endless')
    })
    const { result } = await request({ url: origin, read: 'none', response_headers: [] })
    expect(result).toEqual({ status: 200, url: `${origin}/`, headers: {} })
  })

  test.each([
    ['gzip', gzipSync('squeezed')],
    ['br', brotliCompressSync('squeezed')],
    ['gzip, br', brotliCompressSync(gzipSync('squeezed'))],
    ['identity', Buffer.from('squeezed')],
  ])('compressed with %s is decompressed', async (encoding, content) => {
    const { origin, requests } = await serve((_, response) => {
      response.writeHead(200, { 'content-type': 'text/plain', 'content-encoding': encoding })
      response.end(content)
    })
    expect((await request({ url: origin })).result).toMatchObject({ body: 'squeezed', bytes: 8 })
    expect(requests[0]?.headers['accept-encoding']).toBe('gzip, br')
  })

  test.each([
    ['gzip', gzipSync('squeezed').subarray(0, 12), 'failed', 'cannot be decompressed'],
    ['gzip', Buffer.from('no gzip at all'), 'failed', 'cannot be decompressed'],
    ['lzma', Buffer.from('x'), 'rejected', 'compressed with lzma'],
    ['gzip,gzip,gzip,gzip', gzipSync('x'), 'rejected', 'compressed its answer 4 times'],
  ])('badly compressed with %s is an error', async (encoding, content, kind, words) => {
    const { origin } = await serve((_, response) => {
      response.writeHead(200, { 'content-encoding': encoding })
      response.end(content)
    })
    expect((await request({ url: origin })).outcome).toMatchObject({ kind, message: expect.stringContaining(words) })
  })

  test('to HEAD has no body, whatever its headers say', async () => {
    const { origin } = await serve((_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': '1000' })
      response.end()
    })
    expect((await request({ url: origin, method: 'HEAD' })).result).toMatchObject({
      status: 200,
      bytes: 0,
      headers: { 'content-length': '1000' },
    })
  })

  test('must have the hash that was given', async () => {
    const { origin } = await serve((_, response) => void response.end('content'))
    const sha256 = createHash('sha256').update('content').digest('hex')
    expect((await request({ url: origin, sha256: sha256.toUpperCase() })).result).toMatchObject({ sha256 })
    expect((await request({ url: origin, sha256: 'a'.repeat(64), read: 'none' })).outcome).toMatchObject({
      kind: 'rejected',
      message: expect.stringContaining(`has the sha256 ${sha256}, not aaaa`),
    })
  })
})

describe('a request', () => {
  test('sends method, headers and JSON, and a key that makes a repeat harmless', async () => {
    const { origin } = await serve(async (asked, response) => {
      const { method, headers } = asked
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ method, headers, body: await bodyOf(asked) }))
    })
    const { result } = await request({
      url: origin,
      method: 'POST',
      headers: { 'X-Trace': 'one' },
      json: { question: [1, null] },
    })
    expect(result?.body).toMatchObject({
      method: 'POST',
      body: '{"question":[1,null]}',
      headers: { 'x-trace': 'one', 'content-type': 'application/json', 'idempotency-key': 'unit_test' },
    })
  })

  test('takes header values from files and variables', async () => {
    const { origin, requests } = await serve((_, response) => void response.end())
    const file = fileWith('secret-1\n')
    const { outcome, logs, result } = await request(
      { url: origin, headers: { authorization: { file, prefix: 'Bearer ' }, 'x-user': { env: 'LOGNAME' } } },
      { environment: { LOGNAME: 'kim' } },
    )
    expect(outcome).toEqual({ kind: 'completed' })
    expect(requests[0]?.headers).toMatchObject({ authorization: 'Bearer secret-1', 'x-user': 'kim' })
    expect(JSON.stringify([logs, result])).not.toContain('secret-1')
  })

  test.each([
    ['a variable that is not there', () => ({ env: 'API_TOKEN' }), 'API_TOKEN'],
    ['a file that is not there', () => ({ file: '/nowhere/token' }), '/nowhere/token'],
    ['an empty file', () => ({ file: fileWith(' \n') }), 'is empty'],
    ['a file of several lines', () => ({ file: fileWith('one\r\nx-evil: two') }), 'may not hold'],
  ])('with %s is rejected and not sent', async (_, value, words) => {
    const { origin, requests } = await serve((_request, response) => void response.end())
    const { outcome } = await request({ url: origin, headers: { authorization: value() } })
    expect(outcome).toMatchObject({ kind: 'rejected', message: expect.stringContaining(words) })
    expect(outcome).not.toMatchObject({ message: expect.stringContaining('x-evil') })
    expect(requests).toEqual([])
  })

  test('goes to each unit', async () => {
    const { origin, requests } = await serve((_, response) => void response.end())
    await request({}, { unit: `${origin}/text#part` })
    await request({}, { unit: { url: `${origin}/field`, title: 'x', sha256: '', name: null } })
    await request({ url: `${origin}/items/{{unit.id}}?n={{index}}` }, { unit: { id: 'a/b c' }, position: 7 })
    await request({ url: `${origin}/items/{{unit}}` }, { unit: 12 })
    await request({ url: '{{unit.base}}/x' }, { unit: { base: origin } })
    await request({ url: `${origin}/{{list.result}}` }, { dependencies: { list: { result: 'done' } } })
    expect(requests.map(({ url }) => url)).toEqual([
      '/text',
      '/field',
      '/items/a%2Fb%20c?n=7',
      '/items/12',
      '/x',
      '/done',
    ])
  })

  test.each<[Given['params'], Given['unit'], string]>([
    [{}, undefined, 'no URL: give params.url'],
    [{}, 'just text', 'just text is not an http(s) URL'],
    [{}, 7, 'the unit 7 is no URL'],
    [{}, { path: '/a' }, 'has none in a field url'],
    [{}, 'ftp://127.0.0.1/', 'is not an http(s) URL'],
    [{}, 'http://kim:secret@127.0.0.1/', 'holds a user name or password'],
    [{ url: 'http://127.0.0.1/' }, 'x', 'for every unit: use a placeholder'],
    [{ url: 'http://127.0.0.1/{{unit.id}}' }, { name: 'x' }, 'unit has no field "id"'],
    [{ url: 'http://127.0.0.1/{{item}}' }, 'x', 'means nothing here'],
    [{ url: 'http://127.0.0.1/a/{{unit}}/b' }, '..', 'cannot be a part'],
  ])('for %j with the unit %j is rejected', async (params, unit, words) => {
    expect((await request(params, { unit })).outcome).toMatchObject({
      kind: 'rejected',
      message: expect.stringContaining(words),
    })
  })
})

describe('a status', () => {
  const answering = (status: number, headers: Record<string, string> = {}, body = '') =>
    serve((_, response) => void response.writeHead(status, headers).end(body))

  test.each([400, 401, 403, 404, 409, 410, 422, 300, 304])('%i is never tried again', async (status) => {
    const { origin } = await answering(status)
    expect((await request({ url: origin })).outcome).toMatchObject({
      kind: 'rejected',
      message: expect.stringContaining(`${origin}/ answered ${status}`),
    })
  })

  test.each([408, 425, 429, 500, 502, 503, 504, 501])('%i fails the attempt', async (status) => {
    const { origin } = await answering(status)
    expect((await request({ url: origin })).outcome).toMatchObject({ kind: 'failed' })
  })

  test.each([429, 503])('%i with Retry-After waits so many seconds', async (status) => {
    const { origin } = await answering(status, { 'retry-after': '17' })
    expect((await request({ url: origin })).outcome).toMatchObject({ kind: 'rate_limited', waitMs: 17_000 })
  })

  test('429 waits until a date, by the clock of the server', async () => {
    const { origin } = await answering(429, {
      date: 'Fri, 04 May 2035 22:00:00 GMT',
      'retry-after': 'Fri, 04 May 2035 22:01:30 GMT',
    })
    expect((await request({ url: origin })).outcome).toMatchObject({ kind: 'rate_limited', waitMs: 90_000 })
  })

  test('429 waits until a date, by the own clock when the server tells none', async () => {
    const { origin } = await serve((_, response) => {
      response.sendDate = false
      response.writeHead(429, { 'retry-after': new Date(Date.now() + 120_000).toUTCString() }).end()
    })
    const { outcome } = await request({ url: origin })
    const waitMs = outcome.kind === 'rate_limited' ? outcome.waitMs : 0
    expect(waitMs).toBeGreaterThan(100_000)
    expect(waitMs).toBeLessThan(121_000)
  })

  test.each([
    ['0', 'rate_limited', 1000],
    ['999999', 'rate_limited', 3_600_000],
    ['Fri, 04 May 2001 22:00:00 GMT', 'rate_limited', 1000],
    ['soon', 'failed', undefined],
    ['-5', 'failed', undefined],
    ['', 'failed', undefined],
  ])('429 with Retry-After "%s" is %s', async (value, kind, waitMs) => {
    const { origin } = await answering(429, { 'retry-after': value })
    const { outcome } = await request({ url: origin })
    expect(outcome).toMatchObject(waitMs === undefined ? { kind } : { kind, waitMs })
  })

  test('500 with Retry-After is an ordinary failure', async () => {
    const { origin } = await answering(500, { 'retry-after': '17' })
    expect((await request({ url: origin })).outcome).toMatchObject({ kind: 'failed' })
  })

  test.each<[number, Given['params']['expect_status'], string]>([
    [404, [200, 404], 'completed'],
    [404, ['4xx'], 'completed'],
    [500, ['2xx', '5xx'], 'completed'],
    [204, ['2xx'], 'completed'],
    [201, [200], 'rejected'],
    [200, [404], 'rejected'],
    [301, ['3xx'], 'completed'],
  ])('%i when %j is expected is %s', async (status, expected, kind) => {
    const { origin } = await answering(status)
    expect((await request({ url: origin, expect_status: expected })).outcome).toMatchObject({ kind })
  })

  test('tells what the server says about it, and not the query', async () => {
    const { origin } = await answering(
      403,
      { 'content-type': 'application/json' },
      '{"error":\n "quota\u001b[31m used up"}',
    )
    const { outcome } = await request({ url: `${origin}/a?key=secret` })
    expect(outcome).toMatchObject({
      message: `${origin}/a?… answered 403 Forbidden: {"error": "quota\\x1b[31m used up"}`,
    })
  })
})

describe('a connection', () => {
  test('that is refused fails the attempt', async () => {
    const { origin, host } = await serveRaw((socket) => socket.destroy())
    expect((await request({ url: origin })).outcome).toMatchObject({
      kind: 'failed',
      message: `${host} cut the connection`,
    })
    expect((await request({ url: 'http://127.0.0.1:1/' })).outcome).toMatchObject({
      kind: 'failed',
      message: '127.0.0.1:1 refused the connection',
    })
  })

  test('to what speaks no HTTP fails the attempt', async () => {
    const { origin, host } = await serveRaw((socket) => socket.end('SSH-2.0-OpenSSH_9.6\r\n\r\n'))
    expect((await request({ url: origin })).outcome).toMatchObject({
      kind: 'failed',
      message: expect.stringContaining(`${host} does not speak HTTP`),
    })
  })

  test('that ends before the announced length fails the attempt', async () => {
    const { origin } = await serveRaw((socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort'))
    expect((await request({ url: origin })).outcome).toMatchObject({ kind: 'failed' })
  })
})
