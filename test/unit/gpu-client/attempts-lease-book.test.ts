import { expect, test } from 'vitest'
import { LeaseBook } from '../../../src/gpu-client/attempts/lease-book.ts'
import { createFakeClock } from '../../support/fake-clock.ts'

test('a lease counts from when the last request with the header was sent', () => {
  const clock = createFakeClock()
  const lease = new LeaseBook(clock, 65_000)
  clock.advance(40_000)
  lease.sending()
  clock.advance(64_999)
  expect(lease.leftMs).toBe(1)
  clock.advance(1)
  expect(lease.leftMs).toBe(0)
  clock.advance(1_000_000)
  expect(lease.leftMs).toBe(0)
})

test('neither a jump of the wall clock nor a suspend brings its end nearer', () => {
  const clock = createFakeClock()
  const lease = new LeaseBook(clock, 65_000)
  clock.jump(-3_600_000)
  clock.suspend(3_600_000)
  expect(lease.leftMs).toBe(65_000)
})

test('a request that waited for a connection counts from when it was given up', () => {
  const clock = createFakeClock()
  const lease = new LeaseBook(clock, 65_000)
  lease.sending()
  clock.advance(10_000)
  lease.lost(12_000)
  expect(lease.leftMs).toBe(55_000)
  clock.advance(10_000)
  lease.lost(12_000)
  expect(lease.leftMs).toBe(65_000)
})
