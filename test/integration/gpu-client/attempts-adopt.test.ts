import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { RemoteIdentity } from '../../../src/domain/ports/remote-executor.ts'
import { useAttempts } from '../../support/bad-worker/attempt-harness.ts'
import { leaseAndMargin } from '../../support/bad-worker/check-fault.ts'
import { useWorker } from '../../support/bad-worker/use-worker.ts'
import type { WorkerStandIn } from '../../support/bad-worker/worker-stand-in.ts'
import { useTemporaryHome } from '../../support/temporary-home.ts'
import { waitUntil } from '../../support/wait-until.ts'

const remote: RemoteIdentity = { worker: 'rig', remoteId: 'f3b8f6f4-7a3f-4d35-9f2c-0c6a2f6d9b11' }

/** An earlier manager sent it, and is gone. */
async function leftBehind(worker: WorkerStandIn, changes = {}): Promise<RemoteIdentity> {
  const earlier = useAttempts({ workers: [{ name: 'rig', url: worker.url }] })
  earlier.start(changes)
  await waitUntil(() => worker.requests.filter(({ route }) => route === 'get').length >= 2)
  earlier.executor.detach()
  await waitUntil(() => earlier.told.held === 0)
  const [identity] = earlier.told.offered
  if (identity === undefined) throw new Error('nothing was offered')
  return identity
}

test('nothing was ever sent: given back', async () => {
  const { worker, attempts } = await useWorker()
  expect(await attempts.adopt(null).ended).toMatchObject({ kind: 'released', backOff: false })
  expect(worker.requests).toEqual([])
})

test('its worker has another address since: nothing is sent to that machine, and the lease is waited out', async () => {
  const { worker } = await useWorker({ polls: 20_000_000 })
  const { home } = useTemporaryHome()
  const directory = join(home, 'attempt')
  const identity = await leftBehind(worker, { directory })
  const other = await useWorker()
  const adopted = other.attempts.clock.monotonic()
  const end = await other.attempts.adopt(identity, { directory }).ended
  expect(end).toMatchObject({ kind: 'returned', error: { details: { gpu_error: 'WORKER_CHANGED' } } })
  expect(other.worker.runs).toEqual([])
  expect(other.attempts.clock.monotonic() - adopted).toBeGreaterThanOrEqual(leaseAndMargin)
})

test('it runs: followed to its end, one run', async () => {
  const { worker, attempts } = await useWorker({ polls: 20_000_000 })
  const identity = await leftBehind(worker)
  const { control, ended } = attempts.adopt(identity, { elapsedMs: 5_000 })
  await waitUntil(() => attempts.told.progress.length > 3)
  const [run] = worker.runs
  if (run !== undefined) run.status = 'succeeded'
  expect(await ended).toMatchObject({ kind: 'completed' })
  expect(worker.runs).toHaveLength(1)
  expect(control.elapsedMs()).toBeGreaterThan(5_000)
  expect(attempts.told.offered).toEqual([])
})

test('it ended meanwhile: its result is brought home', async () => {
  const { worker, attempts } = await useWorker({ polls: 20_000_000 })
  const identity = await leftBehind(worker)
  for (const run of worker.runs) run.status = 'succeeded'
  expect(await attempts.adopt(identity).ended).toMatchObject({ kind: 'completed', result: { sum: 42 } })
  expect(worker.runs).toHaveLength(1)
})

test('it goes on from checkpoints of which an earlier manager committed some', async () => {
  const { worker, attempts } = await useWorker({
    polls: 20_000_000,
    always: { checkpoint: { format: 'sum/1', seq: 4, inline: { n: 4 } } },
  })
  const identity = await leftBehind(worker)
  const { ended } = attempts.adopt(identity, { checkpoint: { format: 'sum/1', state: { n: 3 } } })
  await waitUntil(() => attempts.told.checkpoints.length > 0)
  for (const run of worker.runs) run.status = 'succeeded'
  expect(await ended).toMatchObject({ kind: 'completed' })
  expect(attempts.told.checkpoints).toEqual([{ format: 'sum/1', state: { n: 4 } }])
})

test('the request never arrived: sent under the same id', async () => {
  const { worker, attempts } = await useWorker()
  expect(await attempts.adopt(remote).ended).toMatchObject({ kind: 'completed' })
  expect(worker.requests[0]).toMatchObject({ route: 'get', lease: null })
  expect(worker.runs.map(({ id }) => id)).toEqual([remote.remoteId])
})

test('the same bytes as before', async () => {
  const { worker, attempts } = await useWorker({ polls: 20_000_000 })
  const params = { b: 1, a: [1, { z: 0, y: null }], ü: '\u2028' }
  const identity = await leftBehind(worker, { params })
  // An answer 404 that is wrong: the worker compares the bytes, and would refuse others.
  const { requests, runs } = worker
  const again = useAttempts({ workers: [{ name: 'rig', url: worker.url }] })
  for (const run of runs) run.status = 'succeeded'
  expect(await again.adopt(identity, { params }).ended).toMatchObject({ kind: 'completed' })
  expect(requests.filter(({ route }) => route === 'put')).toHaveLength(1)
  attempts.executor.detach()
})

describe('its worker cannot be reached', () => {
  test('for as long as a lease may last: back after that, not before', async () => {
    const { worker, attempts } = await useWorker()
    worker.die()
    const began = attempts.clock.monotonic()
    expect(await attempts.adopt(remote).ended).toMatchObject({ kind: 'returned', to: 'local', why: 'unreachable' })
    expect(attempts.clock.monotonic() - began).toBeGreaterThanOrEqual(leaseAndMargin)
    expect(attempts.clock.monotonic() - began).toBeLessThanOrEqual(leaseAndMargin + 6_000)
  })

  test('since it is not configured any more: the same', async () => {
    const attempts = useAttempts({ workers: [] })
    const began = attempts.clock.monotonic()
    const end = await attempts.adopt(remote).ended
    expect(end).toMatchObject({ kind: 'returned', error: { details: { worker: 'rig', gpu_error: 'NOT_CONFIGURED' } } })
    expect(attempts.clock.monotonic() - began).toBeGreaterThanOrEqual(leaseAndMargin)
  })
})

describe('the manager was stopped for three leases', () => {
  test('and what runs finishes by itself: asked first, then brought home', async () => {
    let stops = 0
    const { worker, attempts } = await useWorker(
      { polls: 8 },
      {
        onPause: () => {
          if (worker.requests.length !== 4 || stops > 0) return
          stops += 1
          attempts.clock.advance(180_000)
          // Nobody renewed it; its handler goes on to the end.
          for (const run of worker.runs) run.leaseUntil = null
        },
      },
    )
    expect(await attempts.start({ pure: true, onLeaseEnd: 'finish' }).ended).toMatchObject({ kind: 'completed' })
    expect(stops).toBe(1)
    expect(worker.runs).toHaveLength(1)
    expect(worker.requests.filter(({ route }) => route === 'cancel')).toEqual([])
  })

  test('and what ran was ended with its lease: once more on a GPU, no fallback', async () => {
    let stops = 0
    const { worker, attempts } = await useWorker(
      { polls: 100 },
      {
        onPause: () => {
          if (worker.requests.length === 4 && stops++ === 0) attempts.clock.advance(180_000)
        },
      },
    )
    expect(await attempts.start().ended).toMatchObject({ kind: 'returned', to: 'gpu', why: 'lease_expired' })
    expect(worker.runs).toHaveLength(1)
  })
})
