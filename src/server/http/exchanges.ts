import type { Identity } from './authenticator.ts'

/** Requests that are being served at once, streams included; more are told to come back. */
const mostExchanges = 256
/** Of messages that are read or being worked on, all together. */
const mostBodyBytes = 128 * 1024 * 1024
/** A client that leaves so much unread is cut off. */
const mostUnreadBytes = 1024 * 1024

export interface Exchange {
  /** Room for bytes of the message, given back at the end. @returns false when there is none */
  reserve(bytes: number): boolean
  /** Called once, when the answer was given or the client is gone. */
  onEnd(listener: () => void): void
  /** @returns the response, whose end is the end of the exchange */
  carry(response: Response): Promise<Response>
  end(): void
}

/** All requests that are being served. */
export interface Exchanges {
  /** @param hangUp ends the connection @returns null when there are too many */
  begin(identity: Identity, hangUp: () => void): Exchange | null
  /** Ends the streams of those who may no longer call. */
  endForeign(): void
  endAll(): void
}

export function createExchanges(): Exchanges {
  const open = new Map<Exchange, { readonly identity: Identity; closeStream: () => void }>()
  let bodyBytes = 0

  function begin(identity: Identity, hangUp: () => void): Exchange | null {
    if (open.size >= mostExchanges) return null
    const listeners: (() => void)[] = []
    const entry = { identity, closeStream: () => {} }
    let held = 0
    const exchange: Exchange = {
      reserve(bytes) {
        if (bodyBytes + bytes > mostBodyBytes) return false
        bodyBytes += bytes
        held += bytes
        return true
      },
      onEnd: (listener) => void listeners.push(listener),
      async carry(response) {
        const { status, headers } = response
        if (response.body === null || !headers.get('content-type')?.startsWith('text/event-stream')) {
          // Whole texts are cheap to send; a stream for each of many small answers is not.
          const text = response.body === null ? null : await response.text()
          exchange.end()
          return new Response(text, { status, headers })
        }
        const carried = carriedBody(response.body, { end: exchange.end, hangUp })
        entry.closeStream = carried.close
        return new Response(carried.body, { status, headers })
      },
      end() {
        if (!open.delete(exchange)) return
        bodyBytes -= held
        for (const listener of listeners) listener()
      },
    }
    open.set(exchange, entry)
    return exchange
  }

  return {
    begin,
    endForeign() {
      for (const { identity, closeStream } of [...open.values()]) if (!identity.holds()) closeStream()
    },
    endAll() {
      for (const { closeStream } of [...open.values()]) closeStream()
    },
  }
}

/** Hands a body on, and notices its end, whichever side ends it. What nobody reads is not kept without a bound. */
function carriedBody(
  source: ReadableStream<Uint8Array>,
  exchange: { end(): void; hangUp(): void },
): { readonly body: ReadableStream<Uint8Array>; close(): void } {
  const reader = source.getReader()
  let controller: ReadableStreamDefaultController<Uint8Array>
  let over = false

  /** @returns false when it had ended before */
  const finish = (): boolean => {
    if (over) return false
    over = true
    exchange.end()
    return true
  }
  const close = () => {
    if (!finish()) return
    controller.close()
    reader.cancel().catch(() => {})
  }
  const pump = async () => {
    for (;;) {
      const { done, value } = await reader.read()
      if (over) return
      if (done) return close()
      if ((controller.desiredSize ?? 0) <= 0) {
        close()
        return exchange.hangUp()
      }
      controller.enqueue(value)
    }
  }

  const body = new ReadableStream<Uint8Array>(
    {
      start(given) {
        controller = given
        pump().catch(close)
      },
      cancel(reason) {
        finish()
        return reader.cancel(reason)
      },
    },
    new ByteLengthQueuingStrategy({ highWaterMark: mostUnreadBytes }),
  )
  return { body, close }
}
