import { expect, test } from 'vitest'
import { createFakeClock } from '../../support/fake-clock.ts'
import { sleepInput, useWorker } from './worker-harness.ts'

const clocked = async () => {
  const clock = createFakeClock()
  return { clock, ...(await useWorker({ clock })) }
}

test('a run whose lease nobody renews is ended, with LEASE_EXPIRED', async () => {
  const { clock, put, look, worker, untilEnded } = await clocked()
  expect((await put('p1', sleepInput(60), { lease: 10 })).body.lease_expires_in_ms).toBe(10_000)
  clock.advance(9_999)
  worker.checkLeases()
  expect((await look('p1')).lease_expires_in_ms).toBe(1)
  clock.advance(1)
  worker.checkLeases()
  expect(await untilEnded('p1')).toMatchObject({ status: 'failed', error_code: 'LEASE_EXPIRED' })
})

test('a request renews the lease only with the header', async () => {
  const { clock, put, look } = await clocked()
  await put('p1', sleepInput(60), { lease: 10 })
  clock.advance(6_000)
  expect((await look('p1')).lease_expires_in_ms).toBe(4_000)
  expect((await look('p1', { lease: 20 })).lease_expires_in_ms).toBe(20_000)
  clock.advance(5_000)
  expect((await put('p1', sleepInput(60), { lease: 30 })).body.lease_expires_in_ms).toBe(30_000)
})

test('a renewal that comes after the end of the lease revives nothing', async () => {
  const { clock, put, look, untilEnded } = await clocked()
  await put('p1', sleepInput(60), { lease: 10 })
  clock.advance(10_000)
  expect((await look('p1', { lease: 60 })).lease_expires_in_ms ?? 0).toBe(0)
  expect((await untilEnded('p1')).error_code).toBe('LEASE_EXPIRED')
})

test('a repeated PUT does not revive it either', async () => {
  const { clock, put, untilEnded } = await clocked()
  await put('p1', sleepInput(60), { lease: 10 })
  clock.advance(10_000)
  await put('p1', sleepInput(60), { lease: 60 })
  expect((await untilEnded('p1')).error_code).toBe('LEASE_EXPIRED')
})

test('a run that is to finish goes on without a lease, and ends when it is cancelled', async () => {
  const { clock, put, ask, look, worker, untilEnded } = await clocked()
  await put('p1', sleepInput(0.5, { on_lease_end: 'finish' }), { lease: 10 })
  await put('p2', sleepInput(60, { on_lease_end: 'finish' }), { lease: 10 })
  clock.advance(60_000)
  worker.checkLeases()
  expect((await look('p2')).status).toBe('processing')
  expect((await untilEnded('p1')).status).toBe('succeeded')
  await ask('/predictions/p2/cancel', { method: 'POST' })
  expect((await untilEnded('p2')).status).toBe('canceled')
})

test('the wall clock does not matter to a lease', async () => {
  const { clock, put, look, worker } = await clocked()
  await put('p1', sleepInput(60), { lease: 10 })
  clock.jump(3_600_000)
  worker.checkLeases()
  expect(await look('p1')).toMatchObject({ status: 'processing', lease_expires_in_ms: 10_000 })
})

test('what ended a day ago is kept, and later removed', async () => {
  const { clock, put, ask, worker, untilEnded } = await clocked()
  await put('p1', sleepInput(0))
  await untilEnded('p1')
  clock.advance(24 * 3_600_000)
  await worker.removeOld()
  expect((await ask('/predictions/p1')).status).toBe(200)
  clock.advance(2 * 3_600_000)
  await worker.removeOld()
  expect((await ask('/predictions/p1')).status).toBe(404)
})
