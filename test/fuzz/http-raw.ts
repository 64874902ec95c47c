import { connect } from 'node:net'
import type { HttpServerProcess } from './http-server.ts'
import { modernVersion, statusCall } from './valid-frames.ts'

/** What a client may do to a socket that no library of HTTP would. */
interface RawAttack {
  readonly name: string
  readonly bytes: Buffer
  /** True: the server may wait for the rest, until its own bound; the client leaves. */
  readonly waits?: boolean
  /** True: the client leaves at once, without reading. */
  readonly leaves?: boolean
}

/** Longer than the server allows for the headers of a request, ms. */
const answeredMs = 20_000
/** How long a body that never ends is held open, ms. */
const heldMs = 300

function attacksOn({ port, token }: HttpServerProcess): readonly RawAttack[] {
  const body = JSON.stringify(statusCall('raw', 'modern'))
  const usual = [
    `Host: 127.0.0.1:${port}`,
    `Authorization: Bearer ${token}`,
    'Content-Type: application/json',
    'Accept: application/json, text/event-stream',
    `Mcp-Protocol-Version: ${modernVersion}`,
    'Mcp-Method: tools/call',
    'Mcp-Name: queue_status',
  ]
  const text = (first: string, headers: readonly string[], rest = '') =>
    Buffer.from(`${[first, ...headers].join('\r\n')}\r\n\r\n${rest}`, 'latin1')
  const post = (headers: readonly string[], rest = '', first = 'POST /mcp HTTP/1.1') =>
    text(first, [...usual, ...headers], rest)
  const length = `Content-Length: ${Buffer.byteLength(body)}`
  const close = 'Connection: close'
  const attacks: readonly RawAttack[] = [
    { name: 'two content lengths', bytes: post([length, 'Content-Length: 5', close], body) },
    { name: 'content length and chunks', bytes: post([length, 'Transfer-Encoding: chunked', close], body) },
    { name: 'negative content length', bytes: post(['Content-Length: -1', close], body) },
    { name: 'content length that is no number', bytes: post(['Content-Length: ten', close], body) },
    { name: 'content length beyond all numbers', bytes: post([`Content-Length: ${'9'.repeat(40)}`, close], body) },
    { name: 'chunk of no size', bytes: post(['Transfer-Encoding: chunked', close], `zz\r\n${body}\r\n0\r\n\r\n`) },
    { name: 'chunk larger than said', bytes: post(['Transfer-Encoding: chunked', close], `5\r\n${body}\r\n0\r\n\r\n`) },
    {
      name: 'huge chunk size',
      bytes: post(['Transfer-Encoding: chunked', close], 'ffffffffffffffff\r\nx'),
      waits: true,
    },
    {
      name: 'chunk extension flood',
      bytes: post(['Transfer-Encoding: chunked', close], `5;${'a'.repeat(200_000)}\r\n`),
    },
    { name: 'coding nobody knows', bytes: post(['Transfer-Encoding: gzip, chunked', close], body) },
    { name: 'header flood', bytes: post([...Array.from({ length: 5_000 }, (_, n) => `X-${n}: y`), length], body) },
    { name: 'one long header', bytes: post([`X-Long: ${'y'.repeat(200_000)}`, length], body) },
    { name: 'header with NUL', bytes: post([length, 'X-Nul: a\0b', close], body) },
    { name: 'header without a colon', bytes: post([length, 'nonsense', close], body) },
    { name: 'folded header', bytes: post([length, 'X-A: b\r\n c', close], body) },
    {
      name: 'bare line feeds',
      bytes: Buffer.from(post([length, close], body).toString('latin1').replaceAll('\r', '')),
    },
    { name: 'no host', bytes: text('POST /mcp HTTP/1.1', [length, close], body) },
    { name: 'another host', bytes: text('POST /mcp HTTP/1.1', ['Host: evil.example', length, close], body) },
    { name: 'two hosts', bytes: post(['Host: evil.example', length, close], body) },
    { name: 'absolute target', bytes: post([length, close], body, 'POST http://evil.example/mcp HTTP/1.1') },
    { name: 'target that is no path', bytes: post([length, close], body, 'POST //[ HTTP/1.1') },
    { name: 'target with NUL', bytes: post([length, close], body, 'POST /mcp\0 HTTP/1.1') },
    { name: 'long target', bytes: post([length, close], body, `POST /mcp?${'q'.repeat(100_000)} HTTP/1.1`) },
    { name: 'no version', bytes: Buffer.from('GET /mcp\r\n\r\n') },
    { name: 'HTTP/2 preface', bytes: Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n') },
    { name: 'TLS hello', bytes: Buffer.from('16030100c8010000c40303', 'hex'), waits: true },
    { name: 'method nobody knows', bytes: post([length, close], body, 'BREW /mcp HTTP/1.1') },
    { name: 'tunnel', bytes: post([close], '', 'CONNECT 127.0.0.1:22 HTTP/1.1') },
    { name: 'websocket', bytes: post(['Connection: Upgrade', 'Upgrade: websocket', length], body), waits: true },
    { name: 'expectation', bytes: post(['Expect: 100-continue', length, close], body) },
    { name: 'expectation nobody knows', bytes: post(['Expect: miracles', length, close], body) },
    { name: 'random bytes', bytes: Buffer.from(Array.from({ length: 4_096 }, (_, n) => (n * 7919) % 251)) },
    {
      name: 'pipelined calls',
      bytes: Buffer.concat([...Array.from({ length: 50 }, () => post([length], body)), post([length, close], body)]),
    },
    { name: 'body that stops half way', bytes: post([length], body.slice(0, 20)), waits: true },
    { name: 'chunks that stop half way', bytes: post(['Transfer-Encoding: chunked'], '10\r\n{"json'), waits: true },
    { name: 'headers that stop half way', bytes: Buffer.from('POST /mcp HTTP/1.1\r\nHost: 127'), waits: true },
    { name: 'silence', bytes: Buffer.alloc(0), waits: true },
    { name: 'a call and gone', bytes: post([length], body), leaves: true },
    { name: 'half a call and gone', bytes: post([length], body.slice(0, 9)), leaves: true },
    {
      name: 'body of 11 MB in chunks',
      bytes: post(['Transfer-Encoding: chunked', close], `a7d8c0\r\n${'x'.repeat(11_000_000)}\r\n0\r\n\r\n`),
    },
  ]
  return attacks
}

/** @returns true when the server ended the connection in time */
function attack({ port }: HttpServerProcess, { bytes, waits, leaves }: RawAttack): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    const finish = (ended: boolean) => {
      clearTimeout(timer)
      socket.destroy()
      resolve(ended)
    }
    const timer = setTimeout(finish, waits === true ? heldMs : answeredMs, waits === true)
    socket.on('error', () => finish(true))
    socket.on('close', () => finish(true))
    socket.on('data', () => {})
    socket.write(bytes, () => {
      if (leaves === true) finish(true)
    })
  })
}

/** Runs every attack, several at once. @returns how many there were, and those whose connection the server left open */
export async function rawAttacks(
  server: HttpServerProcess,
): Promise<{ readonly count: number; readonly open: readonly string[] }> {
  const attacks = attacksOn(server)
  const ended = await Promise.all(attacks.map((one) => attack(server, one)))
  return {
    count: attacks.length,
    open: attacks.filter((_, index) => ended[index] !== true).map(({ name }) => `raw: ${name}`),
  }
}
