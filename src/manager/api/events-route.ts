import type { HttpBindings } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import type { Context } from 'hono'
import type { EventRecord } from '../../domain/ports/event-store.ts'
import { type EventMessage, newJobEvent } from '../../domain/wire/manager.ts'
import type { ServiceContext } from '../services/service-context.ts'

const pageSize = 500
/** A consumer that was up to date and lags by more is dropped; it comes back with its last id (DESIGN §10.15). */
const largestLagBytes = 1024 * 1024
/** Read ahead for a consumer that catches up; it sets the pace itself. */
const readAheadBytes = 64 * 1024
const keepAliveMs = 15_000
/** Read in one go for a consumer that asked for few of the events: other calls come in between. */
const mostPagesAtOnce = 8

/**
 * Server-sent events from the outbox: first what came after Last-Event-ID (or `?after=`), then live. An id older than the outbox
 * keeps gets one `reset` event: the consumer must read the state anew. With `?jobs=id,id` only events of these jobs are sent, and of
 * new ones. A change of the job types is told as `job_types` to whoever listens then; it is stored nowhere.
 */
export function eventsRoute(context: ServiceContext, request: Context<{ Bindings: HttpBindings }>): Response {
  const given = request.req.header('last-event-id') ?? request.req.query('after')
  const newest = context.store.lastEventId()
  const after = given !== undefined && /^\d{1,16}$/.test(given) ? Math.min(Number(given), newest) : newest
  const jobs = request.req.query('jobs')
  const wanted = jobs === undefined ? null : new Set(jobs.split(','))
  new EventFeed(context, request.env.outgoing, { after, wanted }).open()
  return RESPONSE_ALREADY_SENT
}

/**
 * What one consumer gets. Behind, it is driven by the consumer's reading; up to date, by commits. Written straight to the
 * connection: through a web stream an event would wait until the answers of its commit are made.
 */
class EventFeed {
  readonly #context: ServiceContext
  readonly #response: HttpBindings['outgoing']
  /** Ids of jobs; null: all. */
  readonly #wanted: ReadonlySet<string> | null
  #unsubscribe: () => void = () => undefined
  #ticker: NodeJS.Timeout | undefined
  #cursor: number
  #isUpToDate = false
  #hasRead = true
  /** The job types changed while the consumer was behind. */
  #owesJobTypes = false

  constructor(
    context: ServiceContext,
    response: HttpBindings['outgoing'],
    from: { readonly after: number; readonly wanted: ReadonlySet<string> | null },
  ) {
    this.#context = context
    this.#response = response
    this.#cursor = from.after
    this.#wanted = from.wanted
  }

  open(): void {
    this.#response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    this.#response.on('drain', () => this.#continue()).once('close', () => this.#end())
    this.#send(': nightkiln events\n\n')
    const { events, jobTypes } = this.#context
    const subscriptions = [
      events.subscribe((published) => this.#publish(published)),
      jobTypes.subscribe(() => this.#publishJobTypes()),
    ]
    this.#unsubscribe = () => {
      for (const unsubscribe of subscriptions) unsubscribe()
    }
    this.#ticker = setInterval(() => this.#tick(), keepAliveMs)
    if (this.#response.destroyed) this.#end()
    else this.#continue()
  }

  /** The consumer has taken something: a consumer that is behind gets more. */
  #continue(): void {
    this.#hasRead = true
    this.#catchUp()
  }

  #catchUp(): void {
    if (this.#isUpToDate || this.#response.destroyed) return
    try {
      this.#resetIfForgotten()
      this.#fill()
    } catch {
      this.#drop()
    }
  }

  #end(): void {
    this.#unsubscribe()
    clearInterval(this.#ticker)
  }

  /** Of a consumer that does not read, only so the connection is closed and what waits for it is forgotten. */
  #drop(): void {
    this.#end()
    this.#response.destroy()
  }

  #publish(events: readonly EventRecord[]): void {
    if (!this.#isUpToDate) return
    this.#sendEvents(events.filter(({ id }) => id > this.#cursor))
    this.#dropIfLagging()
  }

  #publishJobTypes(): void {
    this.#owesJobTypes = true
    if (!this.#isUpToDate) return
    this.#tellJobTypes()
    this.#dropIfLagging()
  }

  #tellJobTypes(): void {
    if (this.#owesJobTypes) this.#send('event: job_types\ndata: {}\n\n')
    this.#owesJobTypes = false
  }

  #dropIfLagging(): void {
    if (this.#response.writableLength > largestLagBytes) this.#drop()
  }

  #fill(): void {
    for (let pages = 0; this.#response.writableLength < readAheadBytes; pages += 1) {
      if (pages === mostPagesAtOnce) {
        setImmediate(() => this.#catchUp())
        return
      }
      const page = this.#context.store.readEvents(this.#cursor, pageSize)
      this.#isUpToDate = page.length < pageSize
      this.#sendEvents(page)
      if (!this.#isUpToDate) continue
      this.#tellJobTypes()
      return
    }
  }

  #resetIfForgotten(): void {
    const { store } = this.#context
    if (this.#cursor + 1 >= store.firstEventId()) return
    this.#cursor = store.lastEventId()
    this.#send(`event: reset\nid: ${this.#cursor}\ndata: {"newest":${this.#cursor}}\n\n`)
  }

  #tick(): void {
    if (this.#response.writableLength === 0) this.#send(': \n\n')
    else if (!this.#isUpToDate && !this.#hasRead) this.#drop()
    this.#hasRead = false
  }

  #sendEvents(events: readonly EventRecord[]): void {
    const last = events.at(-1)
    if (last === undefined) return
    this.#cursor = last.id
    const text = events
      .filter((event) => this.#isWanted(event))
      .map(formatEvent)
      .join('')
    if (text !== '') this.#send(text)
  }

  #isWanted({ jobId, type }: EventRecord): boolean {
    return this.#wanted === null || this.#wanted.has(jobId) || type === newJobEvent
  }

  /** One system call, made now: node would put it off to the end of the turn, behind what starts processes. */
  #send(text: string): void {
    const { socket } = this.#response
    socket?.cork()
    this.#response.write(text)
    socket?.uncork()
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
