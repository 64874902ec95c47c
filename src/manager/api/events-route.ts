import type { Context } from 'hono'
import type { EventRecord } from '../../domain/ports/job-store.ts'
import type { EventMessage } from '../../domain/wire/manager.ts'
import type { ServiceContext } from '../services/service-context.ts'

const pageSize = 500
/** A consumer that lags by more is dropped and comes back with its last id (DESIGN §10.15). */
const largestLagBytes = 1024 * 1024
const keepAliveMs = 15_000

/**
 * Server-sent events from the outbox: first what came after Last-Event-ID (or `?after=`), then live. An id older than the outbox
 * keeps gets one `reset` event: the consumer must read the state anew.
 */
export function eventsRoute(context: ServiceContext, request: Context): Response {
  const { store, events } = context
  const given = request.req.header('last-event-id') ?? request.req.query('after')
  const newest = store.lastEventId()
  let cursor = given !== undefined && /^\d{1,16}$/.test(given) ? Math.min(Number(given), newest) : newest
  const encoder = new TextEncoder()
  let unsubscribe: () => void = () => undefined
  let keepAlive: NodeJS.Timeout | undefined
  const end = () => {
    unsubscribe()
    clearInterval(keepAlive)
  }

  const stream = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const send = (text: string) => controller.enqueue(encoder.encode(text))
        const close = () => {
          end()
          try {
            controller.close()
          } catch {
            // The consumer had closed it already.
          }
        }
        const advance = () => {
          for (;;) {
            if ((controller.desiredSize ?? 0) < 0) return close()
            const page = store.readEvents(cursor, pageSize)
            if (page.length > 0) send(page.map(formatEvent).join(''))
            cursor = page.at(-1)?.id ?? cursor
            if (page.length < pageSize) return
          }
        }
        if (cursor + 1 < store.firstEventId()) {
          send(`event: reset\nid: ${newest}\ndata: {"newest":${newest}}\n\n`)
          cursor = newest
        }
        send(': nightkiln events\n\n')
        unsubscribe = events.subscribe(advance)
        advance()
        keepAlive = setInterval(() => ((controller.desiredSize ?? 0) < 0 ? close() : send(': \n\n')), keepAliveMs)
        request.req.raw.signal.addEventListener('abort', close, { once: true })
      },
      cancel: end,
    },
    new ByteLengthQueuingStrategy({ highWaterMark: largestLagBytes }),
  )
  return new Response(stream, { headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store' } })
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
