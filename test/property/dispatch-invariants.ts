import { expect } from 'vitest'
import type { RateLimit } from '../../src/domain/job.ts'
import { type DispatchWorld, gpuSlots, type Start, type Waiting } from './dispatch-world.ts'

/** A place where units are counted: a queue, or a limit key in it. */
interface Place {
  readonly queue: string
  readonly key: string | null
}

const inQueue = (start: Start, { queue }: Place) => start.plan.queue === queue
const inKey = (start: Start, { queue, key }: Place) => start.plan.queue === queue && start.claim.unit.limitKey === key

/** Starts of the window that ends now, the given starts alone. */
function startsWithin(starts: readonly Start[], rate: RateLimit, now: number): number {
  return starts.filter(({ at }) => at > now - rate.windowMs).length
}

/** Starts that count in the rate of a key: those of jobs that have one. */
const isCounted = (start: Start) => start.plan.keyLimits?.rate != null

/** What no start may ever break; `fresh` are those of the last step, all others came before. */
export function checkStarts(world: DispatchWorld, fresh: readonly Start[]): void {
  const { store, clock } = world
  const now = clock.monotonic()
  const queues = new Map(store.readQueues().map((queue) => [queue.name, queue]))
  const [local, remote] = [world.runningAt(false).length, world.runningAt(true).length]
  expect(local, 'units at once').toBeLessThanOrEqual(world.slots)
  expect(world.dispatcher.slotsOfKind('command').busy, 'busy slots').toBe(local)
  expect(remote, 'units at GPU workers').toBeLessThanOrEqual(gpuSlots)
  expect(world.dispatcher.slotsOfKind('gpu').busy, 'busy GPU slots').toBe(remote)
  if (fresh.some(({ plan }) => plan.gpu)) expect(remote, 'more than there are places').toBeLessThanOrEqual(world.places)
  for (const [index, { plan, claim }] of fresh.entries()) {
    const place = { queue: plan.queue, key: claim.unit.limitKey }
    // At that start: those after it did not run yet.
    const later = new Set(fresh.slice(index + 1))
    const running = (belongs: (start: Start) => boolean) =>
      world.running.filter((start) => !later.has(start) && belongs(start)).length
    const queue = queues.get(plan.queue)
    if (queue?.concurrency != null) {
      expect(
        running((start) => inQueue(start, place)),
        'units of a queue',
      ).toBeLessThanOrEqual(queue.concurrency)
    }
    if (queue?.rate != null) {
      // What started before there was such a limit does not count.
      const since = world.rated.get(plan.queue)
      const starts = world.starts.filter(
        (start) => !later.has(start) && inQueue(start, place) && start.queueRated === since,
      )
      expect(startsWithin(starts, queue.rate, now), 'starts of a queue in a window').toBeLessThanOrEqual(
        queue.rate.count,
      )
    }
    if (plan.type === 'single') {
      const single = running((start) => start.plan.type === 'single')
      expect(single, 'units of a type').toBe(1)
    }
    if (plan.concurrency !== null) {
      expect(
        running((start) => start.claim.job.id === claim.job.id),
        'units of a job',
      ).toBeLessThanOrEqual(plan.concurrency)
    }
    if (place.key !== null && plan.keyLimits?.concurrency != null) {
      expect(
        running((start) => inKey(start, place)),
        'units of a key',
      ).toBeLessThanOrEqual(plan.keyLimits.concurrency)
    }
    const rate = place.key === null ? null : plan.keyLimits?.rate
    if (rate != null) {
      const starts = world.starts.filter(
        (start) => !later.has(start) && inKey(start, place) && start.plan.keyLimits?.rate?.windowMs === rate.windowMs,
      )
      expect(startsWithin(starts, rate, now), 'starts of a key in a window').toBeLessThanOrEqual(rate.count)
    }
    expect(queue?.pausedAt ?? null, 'a paused queue').toBeNull()
    expect(world.pausedJobs.has(claim.job.id), 'a paused job').toBe(false)
    const held = world.holds.filter(
      (hold) => hold.queue === plan.queue && (hold.key === '' || hold.key === place.key) && hold.until > clock.now(),
    )
    expect(held, 'a held lane').toEqual([])
  }
}

/** Units that everything but a slot lets start now. */
export function startable(world: DispatchWorld): readonly Waiting[] {
  const { store, clock } = world
  const now = clock.monotonic()
  const queues = new Map(store.readQueues().map((queue) => [queue.name, queue]))
  return world.waiting().filter(({ jobId, plan, key }) => {
    const place = { queue: plan.queue, key }
    const queue = queues.get(plan.queue)
    if (queue?.pausedAt != null || world.pausedJobs.has(jobId)) return false
    const running = (belongs: (start: Start) => boolean) => world.running.filter(belongs).length
    const isFull = (limit: number | null | undefined, belongs: (start: Start) => boolean) =>
      limit != null && running(belongs) >= limit
    if (isFull(queue?.concurrency, (start) => inQueue(start, place))) return false
    if (plan.type === 'single' && isFull(1, (start) => start.plan.type === 'single')) return false
    if (isFull(plan.concurrency, (start) => start.claim.job.id === jobId)) return false
    const isSpent = (rate: RateLimit | null | undefined, starts: readonly Start[]) =>
      rate != null && startsWithin(starts, rate, now) >= rate.count
    const ofQueue = world.starts.filter((start) => inQueue(start, place))
    if (isSpent(queue?.rate, ofQueue)) return false
    if (key !== null) {
      if (isFull(plan.keyLimits?.concurrency, (start) => inKey(start, place))) return false
      const ofKey = world.starts.filter((start) => inKey(start, place) && isCounted(start))
      if (isSpent(plan.keyLimits?.rate, ofKey)) return false
    }
    return !world.holds.some(
      (hold) => hold.queue === plan.queue && (hold.key === '' || hold.key === key) && hold.until > clock.now(),
    )
  })
}

/** Nothing that could start waits beside a free slot, and nobody was passed over by one who has more. */
export function checkWaiting(world: DispatchWorld, fresh: readonly Start[]): void {
  const waiting = startable(world)
  for (const gpu of [false, true]) {
    const room = gpu ? Math.min(gpuSlots, world.places) : world.slots
    const beside = world.runningAt(gpu).length < room ? waiting.filter(({ plan }) => plan.gpu === gpu) : []
    expect(beside, gpu ? 'waits beside a free place' : 'waits beside a free slot').toEqual([])
  }
  for (const { plan } of waiting) {
    const runningOf = (client: string) =>
      world.runningAt(plan.gpu).filter((start) => start.plan.client === client).length
    for (const start of fresh) {
      if (start.plan.gpu !== plan.gpu) continue
      expect(start.plan.priority, 'a less urgent unit went first').toBeLessThanOrEqual(plan.priority)
      if (start.plan.priority !== plan.priority || start.plan.client === plan.client) continue
      const counts = `${start.plan.client} has ${runningOf(start.plan.client)}, ${plan.client} ${runningOf(plan.client)}`
      expect(runningOf(start.plan.client), `${counts} running and waits`).toBeLessThanOrEqual(
        runningOf(plan.client) + 1,
      )
    }
  }
}
