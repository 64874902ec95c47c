import type { ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { largestAnswerBytes } from '../../../src/domain/wire/prediction.ts'
import { serveRaw } from '../handlers/web-server.ts'
import { clientOf, faultOf, get, put } from './client-under-test.ts'
import { goodHealth, goodPrediction, sendJson, serveWorker } from './worker-server.ts'

const key = 'canary-key-5f1c9b2e'

async function putAnswered(answer: (response: ServerResponse) => void) {
  const worker = await serveWorker({
    answer: (_, response) => {
      answer(response)
    },
  })
  return faultOf(clientOf(worker.url, { key }).put(put))
}

describe('an answer of a worker', () => {
  test('is read, and the request says what it must', async () => {
    const worker = await serveWorker({ answer: (_, response) => sendJson(response, goodPrediction, 202) })
    const client = clientOf(`${worker.url}/base`, { key })
    expect(await client.put(put)).toMatchObject({ id: 'p1', status: 'processing', artifacts: [], device: null })
    await client.get({ ...get, logsFrom: 7, leaseSeconds: null }).catch(() => null)
    expect(worker.requests).toEqual(['PUT /base/predictions/p1', 'GET /base/predictions/p1?logs_from=7'])
    expect(worker.headers[0]).toMatchObject({
      authorization: `Bearer ${key}`,
      'worker-lease': '60',
      prefer: 'respond-async',
      'accept-encoding': 'identity',
    })
    expect(worker.headers[1]).not.toHaveProperty('worker-lease')
  })

  test.each([
    [400, { code: 'bad_request', detail: 'no' }, 'protocol', 'HTTP_400'],
    [401, { code: 'key_refused', detail: 'no' }, 'key_refused', 'HTTP_401'],
    [403, 'go away', 'key_refused', 'HTTP_403'],
    [404, { code: 'not_found', detail: 'no' }, 'protocol', 'HTTP_404'],
    [409, { code: 'busy', detail: 'no' }, 'busy', 'BUSY'],
    [409, '', 'busy', 'BUSY'],
    [413, { code: 'too_large', detail: 'no' }, 'rejected', 'TOO_LARGE'],
    [422, { code: 'bad_request', detail: 'no' }, 'rejected', 'HTTP_422'],
    [422, { code: 'unknown_type', detail: 'no' }, 'not_served', 'UNKNOWN_TYPE'],
    [404, { code: 'unknown_version', detail: 'no' }, 'not_served', 'UNKNOWN_VERSION'],
    [422, { code: 'file_missing', detail: 'no' }, 'file_missing', 'FILE_MISSING'],
    [422, { code: 'input_differs', detail: 'no' }, 'rejected', 'INPUT_DIFFERS'],
    [422, { code: 'hash_differs', detail: 'no' }, 'protocol', 'HASH_DIFFERS'],
    [408, '', 'slow_down', 'HTTP_408'],
    [429, '', 'slow_down', 'HTTP_429'],
    [500, { code: 'busy', detail: 'a lie' }, 'server_error', 'HTTP_500'],
    [501, '', 'server_error', 'HTTP_501'],
    [502, '', 'slow_down', 'HTTP_502'],
    [503, { code: 'not_ready', detail: 'no' }, 'slow_down', 'NOT_READY'],
    [503, '', 'slow_down', 'HTTP_503'],
    [504, '', 'slow_down', 'HTTP_504'],
    [204, '', 'protocol', 'HTTP_204'],
    [418, '', 'protocol', 'HTTP_418'],
  ])('with %i %j is %s %s', async (status, body, kind, code) => {
    const fault = await putAnswered((response) => {
      response.writeHead(status)
      response.end(typeof body === 'string' ? body : JSON.stringify(body))
    })
    expect(fault).toMatchObject({ kind, code })
  })

  test.each([
    ['7', 7_000],
    ['999999999', 3_600_000],
    ['soon', null],
  ])('with Retry-After %s waits %s ms', async (header, expected) => {
    const fault = await putAnswered((response) => {
      response.writeHead(409, { 'retry-after': header })
      response.end()
    })
    expect(fault.retryAfterMs).toBe(expected)
  })

  test.each([
    ['half JSON', '{"id":"p1","sta', 'NOT_JSON'],
    ['no JSON', '<html>hello</html>', 'NOT_JSON'],
    ['no text', Buffer.from([0x22, 0xff, 0xfe, 0x22]), 'NOT_JSON'],
    ['nothing', '', 'NOT_JSON'],
    [
      'a __proto__',
      JSON.stringify(goodPrediction).replace('{', '{"__proto__":{"status":"succeeded"},'),
      'FORBIDDEN_KEY',
    ],
    [
      'a deep __proto__',
      JSON.stringify({ ...goodPrediction, output: 0 }).replace('"output":0', '"output":[{"__proto__":1}]'),
      'FORBIDDEN_KEY',
    ],
    [
      'extreme depth',
      JSON.stringify({ ...goodPrediction, output: 0 }).replace(
        '"output":0',
        `"output":${'['.repeat(5_000)}${']'.repeat(5_000)}`,
      ),
      'TOO_DEEP',
    ],
    ['no id', JSON.stringify({ ...goodPrediction, id: undefined }), 'WRONG_SHAPE'],
    ['another shape', '[1,2]', 'WRONG_SHAPE'],
    ['another id', JSON.stringify({ ...goodPrediction, id: 'p2' }), 'WRONG_ID'],
    ['an old token', JSON.stringify({ ...goodPrediction, attempt_token: 't0' }), 'WRONG_TOKEN'],
    ['no token', JSON.stringify({ ...goodPrediction, attempt_token: null }), 'WRONG_TOKEN'],
  ])('with %s is refused', async (_, body, code) => {
    const fault = await putAnswered((response) => {
      response.writeHead(200)
      response.end(body)
    })
    expect(fault).toMatchObject({ kind: 'protocol', code })
    expect({}).not.toHaveProperty('status')
  })

  test('is checked at GET and cancel alike', async () => {
    const worker = await serveWorker({ answer: (_, response) => sendJson(response, { ...goodPrediction, id: 'p2' }) })
    const client = clientOf(worker.url)
    expect(await faultOf(client.get(get))).toMatchObject({ kind: 'protocol', code: 'WRONG_ID' })
    expect(await faultOf(client.cancel(get))).toMatchObject({ kind: 'protocol', code: 'WRONG_ID' })
  })

  test('of a worker that does not know the prediction is null', async () => {
    const worker = await serveWorker()
    const client = clientOf(worker.url)
    expect([await client.get(get), await client.cancel(get)]).toEqual([null, null])
    await client.forget('p1')
  })

  test.each([
    ['gzip', gzipSync(JSON.stringify(goodPrediction))],
    ['br', Buffer.from('x')],
  ])('compressed with %s is not read', async (encoding, body) => {
    const fault = await putAnswered((response) => {
      response.writeHead(200, { 'content-encoding': encoding })
      response.end(body)
    })
    expect(fault).toMatchObject({ kind: 'protocol', code: 'CONTENT_ENCODING' })
  })

  test('that says it is too large is not read', async () => {
    const fault = await putAnswered((response) => {
      response.writeHead(200, { 'content-length': String(largestAnswerBytes + 1) })
      response.flushHeaders()
    })
    expect(fault).toMatchObject({ kind: 'protocol', code: 'TOO_LARGE' })
  })

  test('without an end is cut, and its connection closed', async () => {
    let closed = false
    let sent = 0
    const fault = await putAnswered((response) => {
      response.writeHead(200)
      response.on('close', () => {
        closed = true
      })
      const piece = Buffer.alloc(64 * 1024, ' ')
      const more = (): void => {
        while (!closed && response.write(piece)) sent += piece.length
        if (!closed) response.once('drain', more)
      }
      more()
    })
    expect(fault).toMatchObject({ kind: 'protocol', code: 'TOO_LARGE' })
    expect(sent).toBeLessThan(4 * largestAnswerBytes)
    await expect.poll(() => closed).toBe(true)
  })

  test('that is shorter than it says may have been a crash', async () => {
    const fault = await putAnswered((response) => {
      response.writeHead(200, { 'content-length': '5000' })
      response.write('{"id":', () => response.destroy())
    })
    expect(fault.kind).toBe('ambiguous')
  })

  test('that is not HTTP is refused', async () => {
    const { origin } = await serveRaw((socket) => {
      socket.end('SSH-2.0-OpenSSH_9.6\r\n')
    })
    expect(await faultOf(clientOf(origin).put(put))).toMatchObject({ kind: 'protocol' })
  })

  test.each([301, 302, 307, 308])(
    'that leads elsewhere (%i) is not followed, and the key goes nowhere else',
    async (status) => {
      const elsewhere = await serveWorker({ answer: (_, response) => sendJson(response, goodPrediction) })
      const fault = await putAnswered((response) => {
        response.writeHead(status, { location: `${elsewhere.url}/predictions/p1` })
        response.end()
      })
      expect(fault).toMatchObject({ kind: 'protocol', code: 'REDIRECT' })
      expect(elsewhere.headers).toEqual([])
    },
  )

  test('that repeats the key does not bring it back', async () => {
    const fault = await putAnswered((response) => {
      response.writeHead(422)
      response.end(JSON.stringify({ code: 'bad_request', detail: `wrong: Bearer ${key}` }))
    })
    expect(fault.message).not.toContain(key)
    const worker = await serveWorker({
      answer: (_, response) => sendJson(response, { ...goodPrediction, logs: `key ${key}!`, output: { [key]: key } }),
    })
    const found = await clientOf(worker.url, { key }).put(put)
    expect(JSON.stringify(found)).not.toContain(key)
    expect(found.logs).toBe(`key ${'*'.repeat(key.length)}!`)
  })

  test('to a health check is for this protocol only', async () => {
    const worker = await serveWorker({ health: { protocol: 2 } })
    expect(await faultOf(clientOf(worker.url).health())).toMatchObject({ kind: 'protocol', code: 'WRONG_PROTOCOL' })
    worker.health = goodHealth
    expect(await clientOf(worker.url).health()).toEqual(goodHealth)
  })
})
