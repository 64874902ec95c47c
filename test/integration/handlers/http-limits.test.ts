import type { Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { waitUntil } from '../../support/wait-until.ts'
import { request } from './http-run.ts'
import { serve, serveRaw } from './web-server.ts'

/** Sends a piece again and again, as fast as it is taken or every `everyMs`. */
function drip(socket: Pick<Socket, 'write' | 'destroyed'>, piece: Buffer | string, everyMs: number): void {
  const timer = setInterval(() => {
    if (socket.destroyed) clearInterval(timer)
    else socket.write(piece)
  }, everyMs)
  timer.unref()
}

describe('a server that does not end', () => {
  test('sending is bounded by max_bytes', async () => {
    let sent = 0
    const { origin } = await serve((_, response) => {
      const piece = Buffer.alloc(65_536, 'x')
      const more = () => {
        while (!response.destroyed && response.write(piece)) sent += piece.length
      }
      response.on('drain', more)
      more()
    })
    const { outcome } = await request({ url: origin, max_bytes: 1_000_000 })
    expect(outcome).toMatchObject({ kind: 'rejected', message: expect.stringContaining('larger than 1000000 bytes') })
    expect(sent).toBeLessThan(30_000_000)
  })

  test('sending gzip is bounded by what comes out of it', async () => {
    const bomb = gzipSync(Buffer.alloc(200_000_000))
    const { origin } = await serve((_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip', 'content-type': 'text/plain' }).end(bomb)
    })
    const before = process.memoryUsage().rss
    const { outcome } = await request({ url: origin, max_bytes: 5_000_000 })
    expect(outcome).toMatchObject({ kind: 'rejected', message: expect.stringContaining('larger than 5000000 bytes') })
    expect(process.memoryUsage().rss - before).toBeLessThan(100_000_000)
  })

  test('sending gzip in gzip is bounded too', async () => {
    const bomb = gzipSync(gzipSync(Buffer.alloc(200_000_000)))
    const { origin } = await serve((_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip, gzip' }).end(bomb)
    })
    expect((await request({ url: origin })).outcome).toMatchObject({ kind: 'rejected' })
  })
})

describe('a slow server', () => {
  test('that never answers is given up', async () => {
    const { origin } = await serveRaw(() => undefined)
    const { outcome } = await request({ url: `${origin}/x`, idle_s: 0.3 })
    expect(outcome).toMatchObject({ kind: 'failed', message: `${origin}/x: nothing came for 0.3 s (idle_s)` })
  })

  test('that never agrees on encryption is given up', async () => {
    const { origin } = await serveRaw(() => undefined)
    const { outcome } = await request({ url: origin.replace('http:', 'https:'), idle_s: 0.3 })
    expect(outcome).toMatchObject({ kind: 'failed', message: expect.stringContaining('nothing came for 0.3 s') })
  })

  test('that sends headers for ever is given up', async () => {
    const { origin } = await serveRaw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n')
      drip(socket, 'x-more: 1\r\n', 20)
    })
    const { outcome } = await request({ url: origin, idle_s: 0.5 })
    expect(outcome).toMatchObject({ kind: 'failed', message: expect.stringContaining('idle_s') })
  })

  test('that stops in the middle is given up', async () => {
    const { origin } = await serve((_, response) => {
      response.write('some')
    })
    const { outcome } = await request({ url: origin, idle_s: 0.3 })
    expect(outcome).toMatchObject({ kind: 'failed', message: expect.stringContaining('nothing came') })
  })

  test('that drips an answer for ever is given up after timeout_s', async () => {
    const { origin } = await serve((_, response) => drip(response as never, 'x', 20))
    const { outcome } = await request({ url: origin, idle_s: 0.3, timeout_s: 0.8 })
    expect(outcome).toMatchObject({ kind: 'failed', message: expect.stringContaining('longer than 0.8 s (timeout_s)') })
  })

  test('that drips a download is given up, and what came is kept', async () => {
    const { origin } = await serve((_, response) => {
      response.writeHead(200, { etag: '"one"', 'content-length': '1000000' })
      response.write(Buffer.alloc(50_000))
      drip(response as never, 'x', 20)
    })
    const { outcome, checkpoints } = await request({ url: origin, download: true, idle_s: 0.5 })
    expect(outcome).toMatchObject({
      kind: 'failed',
      message: expect.stringMatching(/only \d+ bytes came within 0\.5 s/),
    })
    expect(checkpoints.at(-1)?.bytes).toBeGreaterThanOrEqual(50_000)
  })

  test('that drips enough is not given up', async () => {
    const { origin } = await serve((_, response) => {
      let left = 60
      const timer = setInterval(() => {
        left -= 1
        if (left > 0) return void response.write(Buffer.alloc(2048))
        clearInterval(timer)
        response.end()
      }, 50)
    })
    expect((await request({ url: origin, download: true, idle_s: 1.5 })).result).toMatchObject({ bytes: 59 * 2048 })
  })
})

describe('a cancel', () => {
  const cancelled = async (origin: string, isReady: () => boolean, params: object = {}) => {
    const controller = new AbortController()
    const run = request({ url: origin, ...params }, { signal: controller.signal })
    await waitUntil(isReady)
    const began = performance.now()
    controller.abort()
    expect((await run).outcome).toEqual({ kind: 'cancelled' })
    expect(performance.now() - began).toBeLessThan(1000)
  }

  test('ends a connection that is still being made at once', async () => {
    let asked = false
    const { origin } = await serveRaw(() => {
      asked = true
    })
    // It never gets the greeting that an encrypted connection begins with.
    await cancelled(origin.replace('http:', 'https:'), () => asked)
  })

  test.each([{}, { download: true }])('ends a wait for an answer at once, with %j', async (params) => {
    let asked = false
    let isClosed = false
    const { origin } = await serveRaw((socket) => {
      asked = true
      socket.on('close', () => {
        isClosed = true
      })
    })
    await cancelled(origin, () => asked, params)
    await waitUntil(() => isClosed, { what: 'the end of the connection' })
  })

  test.each([{}, { download: true }])('ends a body at once, with %j', async (params) => {
    let isClosed = false
    const { origin, requests } = await serve((_, response) => {
      response.writeHead(200, { 'content-encoding': 'identity' })
      drip(response as never, 'x', 10)
      response.on('close', () => {
        isClosed = true
      })
    })
    await cancelled(origin, () => requests.length === 1, params)
    await waitUntil(() => isClosed, { what: 'the end of the connection' })
  })

  test('before it began sends nothing', async () => {
    const { origin, requests } = await serve((_, response) => void response.end())
    const { outcome } = await request({ url: origin }, { signal: AbortSignal.abort() })
    expect(outcome).toEqual({ kind: 'cancelled' })
    expect(requests).toEqual([])
  })
})
