import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

export interface WebServer {
  /** Such as http://127.0.0.1:12345 */
  readonly origin: string
  readonly host: string
  /** All requests so far. */
  readonly requests: readonly IncomingMessage[]
}

export type Answering = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>

/** A server on loopback that lives as long as the test. */
export async function serve(answer: Answering): Promise<WebServer> {
  const requests: IncomingMessage[] = []
  const listener: RequestListener = (request, response) => {
    requests.push(request)
    void answer(request, response)
  }
  const server = createServer({ keepAliveTimeout: 500 }, listener)
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { origin: `http://127.0.0.1:${port}`, host: `127.0.0.1:${port}`, requests }
}

/** What speaks no proper HTTP: gives every connection, and the text of its first request, to a function. */
export async function serveRaw(answer: (socket: Socket, request: string) => void): Promise<WebServer> {
  const sockets = new Set<Socket>()
  const server = createTcpServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
    socket.once('data', (data) => answer(socket, data.toString('latin1')))
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { origin: `http://127.0.0.1:${port}`, host: `127.0.0.1:${port}`, requests: [] }
}

/** @returns what a client sent */
export async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const piece of request) text += String(piece)
  return text
}

export interface StaticFile {
  content: Buffer
  etag?: string | undefined
  lastModified?: string | undefined
  /** Sends only so many bytes of the body, as often as there are numbers, and cuts once they are there. */
  cuts?: number[]
  /** False: ranges are sent whatever If-Range says. */
  readonly honoursIfRange?: boolean
  /** True: parts carry neither ETag nor time. */
  readonly hidesValidatorsOfParts?: boolean
}

export interface FileServer extends WebServer {
  /** To be told how much the client has: a connection is cut when that is all it was meant to get. */
  arrived(bytes: number): void
}

/** Serves one file with ranges, as nginx does. */
export async function serveFile(file: StaticFile): Promise<FileServer> {
  let held: { readonly at: number; readonly response: ServerResponse } | null = null
  const server = await serve((request, response) => {
    const { content, etag, lastModified, cuts, honoursIfRange = true } = file
    response.setHeader('content-type', 'application/zip')
    if (etag !== undefined) response.setHeader('etag', etag)
    if (lastModified !== undefined) response.setHeader('last-modified', lastModified)
    const condition = request.headers['if-range']
    const isSame = !honoursIfRange || condition === undefined || condition === etag || condition === lastModified
    const first = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? Number.NaN)
    let body = content
    if (!Number.isNaN(first) && isSame) {
      if (first >= content.length) {
        response.writeHead(416, { 'content-range': `bytes */${content.length}` })
        response.end()
        return
      }
      response.statusCode = 206
      if (file.hidesValidatorsOfParts === true)
        for (const name of ['etag', 'last-modified']) response.removeHeader(name)
      response.setHeader('content-range', `bytes ${first}-${content.length - 1}/${content.length}`)
      body = content.subarray(first)
    }
    response.setHeader('content-length', body.length)
    const cut = cuts?.shift()
    if (cut === undefined) {
      response.end(body)
      return
    }
    held = { at: content.length - body.length + cut, response }
    response.flushHeaders()
    response.write(body.subarray(0, cut))
  })
  const arrived = (bytes: number) => {
    if (held?.at === bytes) held.response.destroy()
  }
  return { ...server, arrived }
}
