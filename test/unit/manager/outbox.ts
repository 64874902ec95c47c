import type { EventRecord } from '../../../src/domain/ports/event-store.ts'
import type { JobStore } from '../../../src/domain/ports/job-store.ts'
import type { EventListener } from '../../../src/manager/runtime/event-hub.ts'
import type { ServiceContext } from '../../../src/manager/services/service-context.ts'

/** An outbox in memory; some 1 kB an event on the wire. */
export function createOutbox(
  events: number,
  forgotten = 0,
  about: (id: number) => Pick<EventRecord, 'type' | 'jobId'> = () => ({ type: 'job.submitted', jobId: 'job' }),
) {
  let newest = events
  const listeners = new Set<EventListener>()
  const typeListeners = new Set<() => void>()
  const record = (id: number): EventRecord => ({
    id,
    ...about(id),
    unitId: null,
    data: { filler: 'x'.repeat(900) },
    createdAt: 0,
  })
  const store: Pick<JobStore, 'lastEventId' | 'firstEventId' | 'readEvents'> = {
    lastEventId: () => newest,
    firstEventId: () => forgotten + 1,
    readEvents: (after, limit) =>
      Array.from({ length: Math.max(0, Math.min(limit, newest - after)) }, (_, index) => record(after + 1 + index)),
  }
  const hub = {
    subscribe(listener: EventListener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
  const jobTypes = {
    subscribe(listener: () => void) {
      typeListeners.add(listener)
      return () => typeListeners.delete(listener)
    },
  }
  return {
    context: { store, events: hub, jobTypes } as unknown as ServiceContext,
    listeners,
    typeListeners,
    changeJobTypes() {
      for (const listener of typeListeners) listener()
    },
    publish(more: number) {
      const events = Array.from({ length: more }, (_, index) => record(newest + 1 + index))
      newest += more
      for (const listener of listeners) listener(events)
    },
  }
}
