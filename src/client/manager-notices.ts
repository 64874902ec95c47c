import { type EventMessage, eventMessage, newJobEvent, resetMessage } from '../domain/wire/manager.ts'
import { readServerSentEvents } from './server-sent-events.ts'

/** What the manager tells of itself. */
export type ManagerNotice =
  /** The stream is established: who reads the state after it misses nothing that comes later. */
  | { readonly kind: 'open' }
  | { readonly kind: 'job'; readonly event: EventMessage }
  /** Other job types can be submitted than before. Not repeated: after `open`, read them anew. */
  | { readonly kind: 'job_types' }
  /** What came after `after` is not kept any more: read the state anew; the stream goes on after `newest`. */
  | { readonly kind: 'reset'; readonly newest: number }

/** Longer lists would not fit into a request: then all events are asked for, and sifted here. */
const mostJobsInRequest = 200

/** @returns what to ask the manager for; `jobIds` left out: events of all jobs */
export function eventsPath(options: { readonly after?: number; readonly jobIds?: readonly string[] }): string {
  const { after, jobIds } = options
  const query = new URLSearchParams()
  if (after !== undefined) query.set('after', String(after))
  if (jobIds !== undefined && jobIds.length <= mostJobsInRequest) query.set('jobs', jobIds.join(','))
  return query.size === 0 ? '/v1/events' : `/v1/events?${query.toString()}`
}

/** @param jobIds given: only events of these jobs, and of new ones */
export async function* readNotices(
  stream: AsyncIterable<Uint8Array>,
  jobIds?: readonly string[],
): AsyncIterable<ManagerNotice> {
  const wanted = jobIds === undefined ? null : new Set(jobIds)
  yield { kind: 'open' }
  for await (const { event: kind, data } of readServerSentEvents(stream)) {
    if (kind === 'job') {
      const event = eventMessage.parse(JSON.parse(data))
      if (wanted === null || wanted.has(event.job_id) || event.type === newJobEvent) yield { kind, event }
    } else if (kind === 'reset') yield { kind, newest: resetMessage.parse(JSON.parse(data)).newest }
    else if (kind === 'job_types') yield { kind }
  }
}
