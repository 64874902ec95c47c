import type { Context } from 'hono'
import type { EventRecord } from '../../domain/ports/job-store.ts'
import type { EventMessage } from '../../domain/wire/manager.ts'
import type { ServiceContext } from '../services/service-context.ts'

const pageSize = 500
/** A consumer that was up to date and lags by more is dropped; it comes back with its last id (DESIGN §10.15). */
const largestLagBytes = 1024 * 1024
/** Read ahead for a consumer that catches up; it sets the pace itself. */
const readAheadBytes = 64 * 1024
const keepAliveMs = 15_000

/**
 * Server-sent events from the outbox: first what came after Last-Event-ID (or `?after=`), then live. An id older than the outbox
 * keeps gets one `reset` event: the consumer must read the state anew.
 */
export function eventsRoute(context: ServiceContext, request: Context): Response {
  const given = request.req.header('last-event-id') ?? request.req.query('after')
  const newest = context.store.lastEventId()
  const after = given !== undefined && /^\d{1,16}$/.test(given) ? Math.min(Number(given), newest) : newest
  const feed = new EventFeed(context, after)
  const { signal } = request.req.raw
  const stream = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        feed.open(controller)
        signal.addEventListener('abort', () => feed.end(), { once: true })
        if (signal.aborted) feed.end()
      },
      pull: () => feed.continue(),
      cancel: () => feed.end(),
    },
    new ByteLengthQueuingStrategy({ highWaterMark: largestLagBytes }),
  )
  return new Response(stream, { headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store' } })
}

/** What one consumer gets. Behind, it is driven by the consumer's reading; up to date, by commits. */
class EventFeed {
  readonly #context: ServiceContext
  readonly #encoder = new TextEncoder()
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null
  #unsubscribe: () => void = () => undefined
  #ticker: NodeJS.Timeout | undefined
  #cursor: number
  #isUpToDate = false
  #hasRead = true

  constructor(context: ServiceContext, after: number) {
    this.#context = context
    this.#cursor = after
  }

  open(controller: ReadableStreamDefaultController<Uint8Array>): void {
    this.#controller = controller
    this.#send(': nightkiln events\n\n')
    this.#unsubscribe = this.#context.events.subscribe(() => this.#publish())
    this.#ticker = setInterval(() => this.#tick(), keepAliveMs)
  }

  /** The consumer has taken something: a consumer that is behind gets more. */
  continue(): void {
    this.#hasRead = true
    if (this.#controller === null || this.#isUpToDate) return
    try {
      this.#resetIfForgotten()
      this.#fill(readAheadBytes)
    } catch {
      this.drop('the events cannot be read now')
    }
  }

  end(): void {
    this.#controller = null
    this.#unsubscribe()
    clearInterval(this.#ticker)
  }

  /** Ends with an error: only so the server closes the connection of a consumer that does not read. */
  drop(reason: string): void {
    const controller = this.#controller
    this.end()
    controller?.error(new Error(reason))
  }

  #publish(): void {
    if (!this.#isUpToDate) return
    this.#fill(largestLagBytes)
    if (!this.#isUpToDate || this.#waitingBytes > largestLagBytes) this.drop('the consumer lags too far behind')
  }

  #fill(limitBytes: number): void {
    this.#isUpToDate = false
    while (this.#waitingBytes < limitBytes) {
      const page = this.#context.store.readEvents(this.#cursor, pageSize)
      this.#cursor = page.at(-1)?.id ?? this.#cursor
      this.#isUpToDate = page.length < pageSize
      if (page.length > 0) this.#send(page.map(formatEvent).join(''))
      if (this.#isUpToDate) return
    }
  }

  #resetIfForgotten(): void {
    const { store } = this.#context
    if (this.#cursor + 1 >= store.firstEventId()) return
    this.#cursor = store.lastEventId()
    this.#send(`event: reset\nid: ${this.#cursor}\ndata: {"newest":${this.#cursor}}\n\n`)
  }

  #tick(): void {
    if (this.#waitingBytes === 0) this.#send(': \n\n')
    else if (!this.#isUpToDate && !this.#hasRead) this.drop('the consumer does not read')
    this.#hasRead = false
  }

  get #waitingBytes(): number {
    return largestLagBytes - (this.#controller?.desiredSize ?? largestLagBytes)
  }

  #send(text: string): void {
    this.#controller?.enqueue(this.#encoder.encode(text))
  }
}

function formatEvent(event: EventRecord): string {
  const message: EventMessage = {
    id: event.id,
    type: event.type,
    job_id: event.jobId,
    unit_id: event.unitId,
    data: event.data as EventMessage['data'],
    at: new Date(event.createdAt).toISOString(),
  }
  return `event: job\nid: ${event.id}\ndata: ${JSON.stringify(message)}\n\n`
}
