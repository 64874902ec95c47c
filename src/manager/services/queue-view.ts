import type { Queue } from '../../domain/ports/lane-store.ts'
import type { QueueView } from '../../domain/wire/shared.ts'
import type { ServiceContext } from './service-context.ts'

/** @returns a queue as people and models see it. */
export function queueView({ dispatcher }: Pick<ServiceContext, 'dispatcher'>, queue: Queue): QueueView {
  const wait = dispatcher.waitOfQueue(queue.name)
  return {
    name: queue.name,
    paused: queue.pausedAt !== null,
    concurrency: queue.concurrency,
    rate_limit: queue.rate === null ? null : { count: queue.rate.count, interval_s: queue.rate.windowMs / 1000 },
    held_until: wait === null || wait === 'full' || !wait.isHeld ? null : new Date(wait.heldUntil).toISOString(),
    running: dispatcher.runningInQueue(queue.name),
  }
}
