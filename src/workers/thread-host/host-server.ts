import { chmodSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { encodeFrameOfTexts, FrameDecoder } from '../threads/frames.ts'
import type { ToHost } from '../threads/protocol.ts'

type Hello = Extract<ToHost, { kind: 'hello' }>

export interface ServerEvents {
  /** A manager is there: what `welcome` returns is the first it hears. */
  connected(hello: Hello): void
  told(message: ToHost): void
  disconnected(): void
  log(message: string): void
}

/** Texts of one frame, about. */
const frameBytes = 4 * 1024 * 1024

/** The host's socket. One manager counts: the newest connection with the highest epoch. */
export class HostServer {
  readonly #server: Server
  readonly #events: ServerEvents
  #current: { readonly socket: Socket; readonly epoch: number } | null = null

  constructor(events: ServerEvents) {
    this.#events = events
    this.#server = createServer((socket) => this.#accept(socket))
    this.#server.on('error', (error) => events.log(`the socket failed: ${error.message}`))
  }

  get isConnected(): boolean {
    return this.#current !== null
  }

  /** @returns bytes that wait for a manager that does not read */
  get backlogBytes(): number {
    return this.#current?.socket.writableLength ?? 0
  }

  /** @throws the system's error */
  listen(path: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(path, () => {
        this.#server.off('error', reject)
        if (process.platform !== 'win32') chmodSync(path, 0o600)
        resolve()
      })
    })
  }

  /** @param texts messages as JSON. Nothing happens while nobody is connected. */
  send(texts: readonly string[]): void {
    if (this.#current === null) return
    let first = 0
    let bytes = 0
    for (let at = 0; at < texts.length; at += 1) {
      const length = texts[at]?.length ?? 0
      if (at > first && bytes + length > frameBytes) {
        this.#write(texts.slice(first, at))
        first = at
        bytes = 0
      }
      bytes += length
    }
    if (first < texts.length) this.#write(texts.slice(first))
  }

  /** What fits into no frame must not cost what was to be said with it. */
  #write(texts: readonly string[]): void {
    try {
      this.#current?.socket.write(encodeFrameOfTexts(texts))
    } catch (error) {
      this.#events.log(`something cannot be told: ${(error as Error).message}`)
      if (texts.length > 1) for (const text of texts) this.#write([text])
    }
  }

  /** Takes no connection any more; resolves when the last bytes are on their way. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve())
      const socket = this.#current?.socket
      if (socket === undefined) return
      socket.end()
      // Whoever does not read holds nothing up.
      setTimeout(() => socket.destroy(), 500).unref()
    })
  }

  #accept(socket: Socket): void {
    const decoder = new FrameDecoder()
    let isManager = false
    socket.on('error', () => socket.destroy())
    socket.on('data', (piece: Buffer) => {
      try {
        for (const message of decoder.push(piece) as readonly ToHost[]) {
          if (socket.destroyed) return
          if (message.kind === 'hello') isManager = this.#greet(socket, message)
          else if (isManager && this.#current?.socket === socket) this.#events.told(message)
          else socket.destroy()
        }
      } catch (error) {
        this.#events.log(`a connection was closed: ${(error as Error).message}`)
        socket.destroy()
      }
    })
    socket.on('close', () => {
      if (this.#current?.socket !== socket) return
      this.#current = null
      this.#events.disconnected()
    })
  }

  /** @returns false when another manager has a higher epoch */
  #greet(socket: Socket, hello: Hello): boolean {
    const before = this.#current
    if (before !== null && before.epoch > hello.epoch) {
      socket.destroy()
      return false
    }
    this.#current = { socket, epoch: hello.epoch }
    if (before !== null && before.socket !== socket) before.socket.destroy()
    this.#events.connected(hello)
    return true
  }
}
