import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { serveRaw } from '../handlers/web-server.ts'
import { makeCertificate } from './certificates.ts'
import { clientOf, faultOf, put } from './client-under-test.ts'
import { closedPort, goodHealth, goodPrediction, sendJson, serveWorker } from './worker-server.ts'

const hurried = { headersMs: 300, bodyMs: 300, totalMs: 3_000 }

describe('nothing was sent', () => {
  test('when the connection is refused', async () => {
    const fault = await faultOf(clientOf(`http://127.0.0.1:${await closedPort()}`).put(put))
    expect(fault).toMatchObject({ kind: 'not_sent', code: 'ECONNREFUSED', message: 'connection refused' })
  })

  test('when localhost refuses on all its addresses', async () => {
    const fault = await faultOf(clientOf(`http://localhost:${await closedPort()}`).put(put))
    expect(fault).toMatchObject({ kind: 'not_sent', code: 'ECONNREFUSED' })
  })

  test('when the host is unknown', async () => {
    const fault = await faultOf(clientOf('https://no-such-host.invalid').put(put))
    expect(fault.kind).toBe('not_sent')
    expect(fault.code).toMatch(/^(ENOTFOUND|EAI_AGAIN)$/)
  })

  test('when no connection is made in time', async () => {
    // Takes the TCP connection and never answers the handshake.
    const { origin } = await serveRaw(() => undefined)
    const url = origin.replace('http:', 'https:')
    const fault = await faultOf(clientOf(url, { timeouts: { connectMs: 300 } }).put(put))
    expect(fault).toMatchObject({ kind: 'not_sent', code: 'UND_ERR_CONNECT_TIMEOUT' })
  })

  test('when it was given up before', async () => {
    const worker = await serveWorker()
    const fault = await faultOf(clientOf(worker.url).put(put, AbortSignal.abort()))
    expect(fault).toMatchObject({ kind: 'not_sent', code: 'ABORTED' })
    expect(worker.requests).toEqual([])
  })
})

describe('it may have arrived', () => {
  test('when no answer begins', async () => {
    const worker = await serveWorker({ answer: () => undefined })
    const fault = await faultOf(clientOf(worker.url, { timeouts: hurried }).put(put))
    expect(fault).toMatchObject({ kind: 'ambiguous', code: 'UND_ERR_HEADERS_TIMEOUT' })
    expect(worker.requests).toEqual(['PUT /predictions/p1'])
  })

  test('when the answer stops in the middle', async () => {
    const worker = await serveWorker({
      answer: (_, response) => {
        response.writeHead(200)
        response.write('{"id":')
      },
    })
    const fault = await faultOf(clientOf(worker.url, { timeouts: hurried }).put(put))
    expect(fault).toMatchObject({ kind: 'ambiguous', code: 'UND_ERR_BODY_TIMEOUT' })
  })

  test('when the answer drips for ever', async () => {
    const worker = await serveWorker({
      answer: (_, response) => {
        response.writeHead(200)
        const drip = setInterval(() => response.write(' '), 50)
        response.on('close', () => clearInterval(drip))
      },
    })
    const fault = await faultOf(
      clientOf(worker.url, { timeouts: { ...hurried, bodyMs: 5_000, totalMs: 500 } }).put(put),
    )
    expect(fault).toMatchObject({ kind: 'ambiguous', code: 'DEADLINE' })
  })

  test('when the headers drip for ever', async () => {
    const { origin } = await serveRaw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n')
      const drip = setInterval(() => socket.write('x-a: b\r\n'), 50)
      socket.on('close', () => clearInterval(drip))
    })
    const fault = await faultOf(clientOf(origin, { timeouts: { ...hurried, headersMs: 5_000, totalMs: 500 } }).put(put))
    expect(fault).toMatchObject({ kind: 'ambiguous', code: 'DEADLINE' })
  })

  test('when the connection breaks after the request', async () => {
    const worker = await serveWorker({ answer: (request) => void request.socket.resetAndDestroy() })
    const fault = await faultOf(clientOf(worker.url).put(put))
    expect(fault.kind).toBe('ambiguous')
    expect(fault.code).toMatch(/^(ECONNRESET|UND_ERR_SOCKET)$/)
  })

  test('when it is given up on the way', async () => {
    const ending = new AbortController()
    const worker = await serveWorker({ answer: () => ending.abort() })
    const fault = await faultOf(clientOf(worker.url).put(put, ending.signal))
    expect(fault).toMatchObject({ kind: 'ambiguous', code: 'ABORTED' })
  })
})

describe('a certificate', () => {
  test('that is self-signed is refused, whatever the environment says, and accepted when it is pinned', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0')
    onTestFinished(() => void vi.unstubAllEnvs())
    const certificate = await makeCertificate()
    const worker = await serveWorker({ certificate })
    expect(await faultOf(clientOf(worker.url).health())).toMatchObject({
      kind: 'tls',
      code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
    })
    expect(worker.requests).toEqual([])
    expect(await clientOf(worker.url, { ca: certificate.cert }).health()).toEqual(goodHealth)
  })

  test('other than the pinned one is refused', async () => {
    const worker = await serveWorker({ certificate: await makeCertificate() })
    const { cert } = await makeCertificate()
    expect(await faultOf(clientOf(worker.url, { ca: cert, key: 'canary' }).health())).toMatchObject({ kind: 'tls' })
    expect(worker.requests).toEqual([])
  })

  test('that has expired is refused, pinned or not', async () => {
    const certificate = await makeCertificate({ expired: true })
    const worker = await serveWorker({ certificate })
    const fault = await faultOf(clientOf(worker.url, { ca: certificate.cert }).health())
    expect(fault).toMatchObject({ kind: 'tls', code: 'CERT_HAS_EXPIRED' })
  })

  test('for another host is refused, pinned or not', async () => {
    const certificate = await makeCertificate({ host: 'other.example' })
    const worker = await serveWorker({ certificate })
    const fault = await faultOf(clientOf(worker.url, { ca: certificate.cert }).health())
    expect(fault).toMatchObject({ kind: 'tls', code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
  })

  test('is missed at a port of plain HTTP', async () => {
    const worker = await serveWorker()
    const fault = await faultOf(clientOf(worker.url.replace('http:', 'https:')).health())
    expect(fault.kind).toBe('tls')
  })
})

test('one answer of a worker that answers twice counts', async () => {
  const body = JSON.stringify(goodPrediction)
  const answer = `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`
  const other = answer.replaceAll('"p1"', '"p9"')
  const { origin } = await serveRaw((socket) => {
    socket.write(answer + other)
  })
  expect(await clientOf(origin).put(put)).toMatchObject({ id: 'p1' })
})

test('at most four connections are used at once, and the others wait', async () => {
  let most = 0
  const waiting: (() => void)[] = []
  const worker = await serveWorker({
    answer: (_, response) => {
      waiting.push(() => sendJson(response, goodHealth))
      most = Math.max(most, waiting.length)
      return true
    },
  })
  const client = clientOf(worker.url)
  const calls = Promise.all(Array.from({ length: 12 }, () => client.health()))
  await expect.poll(() => waiting.length).toBe(4)
  const answering = setInterval(() => waiting.shift()?.(), 5)
  onTestFinished(() => clearInterval(answering))
  expect(await calls).toHaveLength(12)
  expect(most).toBe(4)
})

test('connections are kept', async () => {
  const ports = new Set<number | undefined>()
  const worker = await serveWorker({
    answer: (request, response) => {
      ports.add(request.socket.remotePort)
      return sendJson(response, goodHealth)
    },
  })
  const client = clientOf(worker.url)
  for (let count = 0; count < 20; count += 1) await client.health()
  // The next request may leave before the last connection is free again.
  expect(ports.size).toBeLessThanOrEqual(4)
})
