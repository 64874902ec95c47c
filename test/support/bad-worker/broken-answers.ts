import { gzipSync } from 'node:zlib'
import type { Exchange, Misbehaviour, Route } from './worker-stand-in.ts'

/** Answers a request badly. What the request asked for has been done when it calls `good`. */
export type Breaker = (exchange: Exchange) => void

function goodText(exchange: Exchange): string {
  return JSON.stringify(exchange.good().body)
}

/** @param change made to the object of a good answer */
function changed(change: (body: Record<string, unknown>) => Record<string, unknown>): Breaker {
  return (exchange) => {
    const { status, body } = exchange.good()
    exchange.json(status, change({ ...(body as Record<string, unknown>) }))
  }
}

function raw(exchange: Exchange, text: string, headers: Readonly<Record<string, string>> = {}): void {
  exchange.response.writeHead(200, { 'content-type': 'application/json', ...headers })
  exchange.response.end(text)
}

/** Writes for ever, or until nobody reads. */
function flood(exchange: Exchange, piece: Buffer): void {
  const { response } = exchange
  const write = (): void => {
    while (!response.destroyed && response.write(piece));
  }
  response.on('drain', write)
  write()
}

const megabyte = 1024 * 1024

export const brokenAnswers = {
  'hangs before the headers': (exchange) => void exchange.good(),
  'hangs in the body': (exchange) => {
    const text = goodText(exchange)
    exchange.response.writeHead(200, { 'content-type': 'application/json', 'content-length': String(text.length) })
    exchange.response.write(text.slice(0, 20))
  },
  'drips byte by byte': (exchange) => {
    const text = goodText(exchange)
    exchange.response.writeHead(200, { 'content-type': 'application/json', 'content-length': String(text.length) })
    let at = 0
    const timer = setInterval(() => {
      if (exchange.response.destroyed) return clearInterval(timer)
      exchange.response.write(text.slice(at, at + 1))
      at += 1
    }, 50)
  },
  'answers 204 without content': (exchange) => {
    exchange.good()
    exchange.response.writeHead(204).end()
  },
  'sends what is no JSON': (exchange) => {
    exchange.good()
    raw(exchange, '<html>Welcome to nginx!</html>')
  },
  'sends half of the JSON': (exchange) => raw(exchange, goodText(exchange).slice(0, -40)),
  'breaks the connection in the body': (exchange) => {
    const text = goodText(exchange)
    exchange.response.writeHead(200, { 'content-type': 'application/json', 'content-length': String(text.length) })
    exchange.response.write(text.slice(0, 20), () => exchange.request.socket.destroy())
  },
  'does it and breaks the connection': (exchange) => {
    exchange.good()
    exchange.request.socket.destroy()
  },
  'sends __proto__': (exchange) => raw(exchange, `{"__proto__":{"status":"succeeded"},${goodText(exchange).slice(1)}`),
  'answers about another id': changed((body) => ({ ...body, id: 'another-prediction' })),
  'answers without an id': changed(({ id: _, ...body }) => body),
  'answers for an old attempt': changed((body) => ({
    ...body,
    attempt_token: 'old.0',
    status: 'succeeded',
    output: 'old',
  })),
  'answers without a token': changed((body) => ({ ...body, attempt_token: null })),
  'answers twice': (exchange) => {
    const text = goodText(exchange)
    const one = (body: string): string =>
      `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
    const other = JSON.stringify({ ...JSON.parse(text), status: 'succeeded', output: 'the second answer' })
    exchange.request.socket.write(one(text) + one(other))
  },
  'redirects to another server': (exchange) => {
    exchange.response.writeHead(307, { location: 'http://127.0.0.1:9/stolen' }).end()
  },
  'speaks no HTTP': (exchange) => {
    exchange.good()
    exchange.request.socket.end('SSH-2.0-OpenSSH_9.2\r\n')
  },
  'sends a body without end': (exchange) => {
    exchange.good()
    exchange.response.writeHead(200, { 'content-type': 'application/json' })
    flood(exchange, Buffer.alloc(megabyte, ' '))
  },
  'sends a gzip bomb': (exchange) => {
    exchange.good()
    exchange.response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
    exchange.response.end(gzipBomb())
  },
  'sends headers without end': (exchange) => {
    exchange.good()
    const { socket } = exchange.request
    socket.write('HTTP/1.1 200 OK\r\n')
    const write = (): void => {
      while (!socket.destroyed && socket.write(`x-filler: ${'x'.repeat(60_000)}\r\n`));
    }
    socket.on('drain', write)
    write()
  },
  'says less than it sends': (exchange) => {
    const text = goodText(exchange)
    exchange.request.socket.end(
      `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${text.length - 30}\r\n\r\n${text}`,
    )
  },
  'says more than it sends': (exchange) => {
    const text = goodText(exchange)
    exchange.request.socket.end(
      `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${text.length + 30}\r\n\r\n${text}`,
    )
  },
  'says that it sends a terabyte': (exchange) => {
    exchange.good()
    exchange.response.writeHead(200, { 'content-type': 'application/json', 'content-length': String(2 ** 40) })
    exchange.response.write('{')
  },
  'nests without end': (exchange) => {
    exchange.good()
    raw(exchange, '['.repeat(100_000) + ']'.repeat(100_000))
  },
  'sends an unknown status': changed((body) => ({ ...body, status: 'dreaming' })),
  'sends a number where text belongs': changed((body) => ({ ...body, logs: 7 })),
} as const satisfies Readonly<Record<string, Breaker>>

export type BrokenAnswer = keyof typeof brokenAnswers

let bomb: Buffer | null = null

function gzipBomb(): Buffer {
  bomb ??= gzipSync(Buffer.alloc(64 * megabyte, ' '))
  return bomb
}

const predictionRoutes: readonly Route[] = ['put', 'get', 'cancel']

/** Every answer about a prediction is broken. */
export function always(breaker: Breaker): Misbehaviour {
  return (exchange) => {
    if (!predictionRoutes.includes(exchange.route)) return 'pass'
    breaker(exchange)
    return undefined
  }
}

/** Only the first answer to such a request is broken. */
export function once(route: Route, breaker: Breaker): Misbehaviour {
  return onlyFor(route, 1, breaker)
}

/** The first `count` answers to such requests are broken. */
export function onlyFor(route: Route, count: number, breaker: Breaker): Misbehaviour {
  return (exchange) => {
    if (exchange.route !== route || exchange.earlier >= count) return 'pass'
    breaker(exchange)
    return undefined
  }
}

/** Refuses with a status and nothing done. */
export function status(code: number, headers: Readonly<Record<string, string>> = {}, body: unknown = null): Breaker {
  return (exchange) => exchange.json(code, body, headers)
}
