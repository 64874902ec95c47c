import { createConnection, type Socket } from 'node:net'
import { encodeFrameOfTexts, FrameDecoder, FrameError } from './frames.ts'
import { protocolVersion, type ToHost, type ToManager, toManager } from './protocol.ts'

type Welcome = Extract<ToManager, { kind: 'welcome' }>

export interface Hello {
  readonly epoch: number
  readonly version: string
}

export interface ConnectionListener {
  /** What the host says, not checked. */
  messages(messages: readonly object[]): void
  /**
   * The connection is closed; told once, after all messages.
   * @param problem what of it could not be read, so that it was closed here; null: nothing
   */
  closed(problem: string | null): void
}

/** How a host answered a hello. */
export type Greeting =
  | { readonly kind: 'welcome'; readonly welcome: Welcome; readonly connection: HostConnection }
  /** It speaks another language. */
  | { readonly kind: 'mismatch' }
  | { readonly kind: 'silent' }

/** Frames stay well below their limit, and the host works on the first while the next one comes. */
const frameCharacters = 4 * 1024 * 1024

/** A connection to a host. What is said within one turn goes out in one frame, if it is not too long. */
export class HostConnection {
  readonly #socket: Socket
  readonly #decoder = new FrameDecoder()
  #listener: ConnectionListener | null = null
  #early: object[] = []
  #texts: string[] = []
  #acknowledged: string[] = []
  #isFlushing = false
  #isClosed = false
  #problem: string | null = null

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (piece) => this.#receive(piece))
    // Told by `close`, which follows.
    socket.on('error', () => undefined)
    socket.on('close', () => {
      this.#isClosed = true
      this.#listener?.closed(this.#problem)
    })
  }

  /** From now on all that the host says goes there, what it said until now first. */
  listen(listener: ConnectionListener): void {
    const early = this.#early
    this.#early = []
    this.#listener = listener
    if (early.length > 0) listener.messages(early)
    if (this.#isClosed) listener.closed(this.#problem)
  }

  /** Keeps what it says, and these messages before it, until somebody listens. */
  holdBack(messages: readonly object[]): void {
    this.#listener = null
    this.#early = [...messages]
  }

  send(message: ToHost): void {
    this.sendText(JSON.stringify(message))
  }

  /** As send, for a message that is JSON already. */
  sendText(text: string): void {
    this.#texts.push(text)
    this.#flushSoon()
  }

  /** The end of an attempt is committed: its host may forget it. */
  acknowledge(key: string): void {
    this.#acknowledged.push(key)
    this.#flushSoon()
  }

  #flushSoon(): void {
    if (this.#isFlushing) return
    this.#isFlushing = true
    queueMicrotask(() => this.flush())
  }

  flush(): void {
    this.#isFlushing = false
    const texts = this.#texts
    this.#texts = []
    if (this.#acknowledged.length > 0) {
      texts.push(JSON.stringify({ kind: 'acknowledge', keys: this.#acknowledged } satisfies ToHost))
      this.#acknowledged = []
    }
    if (this.#socket.destroyed) return
    let first = 0
    let length = 0
    for (const [at, text] of texts.entries()) {
      if (at > first && length + text.length > frameCharacters) {
        this.#socket.write(encodeFrameOfTexts(texts.slice(first, at)))
        first = at
        length = 0
      }
      length += text.length
    }
    if (first < texts.length) this.#socket.write(encodeFrameOfTexts(first === 0 ? texts : texts.slice(first)))
  }

  /** Closes it; what was said before still goes out. */
  close(): void {
    this.flush()
    this.#socket.end()
    this.#socket.unref()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  #receive(piece: Buffer): void {
    let messages: readonly object[]
    try {
      messages = this.#decoder.push(piece)
    } catch (error) {
      // Where the next frame begins is not known any more. On a new connection the host says again what counts.
      this.#problem = (error as Error).message
      this.#socket.destroy()
      messages = error instanceof FrameError ? error.messages : []
    }
    if (messages.length === 0) return
    if (this.#listener === null) this.#early.push(...messages)
    else this.#listener.messages(messages)
  }
}

/**
 * Connects to a host and says hello.
 * @param hostId the one that is expected there
 * @param limitMs longest wait for its welcome
 */
export function greetHost(path: string, hostId: string, hello: Hello, limitMs: number): Promise<Greeting> {
  return new Promise((resolve) => {
    const connection = new HostConnection(createConnection(path))
    const finish = (greeting: Greeting): void => {
      clearTimeout(timer)
      if (greeting.kind !== 'welcome') connection.destroy()
      resolve(greeting)
    }
    const timer = setTimeout(() => finish({ kind: 'silent' }), limitMs)
    connection.listen({
      messages([first, ...rest]) {
        connection.holdBack(rest)
        finish(greetingOf(first, hostId, connection))
      },
      closed: () => finish({ kind: 'silent' }),
    })
    connection.send({ kind: 'hello', protocol: protocolVersion, epoch: hello.epoch, version: hello.version })
  })
}

function greetingOf(message: object | undefined, hostId: string, connection: HostConnection): Greeting {
  const parsed = toManager.safeParse(message)
  const welcome = parsed.success && parsed.data.kind === 'welcome' ? parsed.data : null
  if (welcome === null || welcome.protocol !== protocolVersion) return { kind: 'mismatch' }
  return welcome.host_id === hostId ? { kind: 'welcome', welcome, connection } : { kind: 'silent' }
}
