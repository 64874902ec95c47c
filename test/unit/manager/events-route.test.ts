import { Hono } from 'hono'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { eventsRoute } from '../../../src/manager/api/events-route.ts'
import type { ServiceContext } from '../../../src/manager/services/service-context.ts'
import { createOutbox } from './outbox.ts'

async function consume(context: ServiceContext, after: number) {
  const api = new Hono().get('/v1/events', (request) => eventsRoute(context, request))
  const { body } = await api.request(`/v1/events?after=${after}`)
  if (body === null) throw new Error('no stream')
  const reader = body.getReader()
  let text = ''
  return {
    reader,
    /** Reads until an event with this id has come. */
    async readTo(id: number): Promise<number[]> {
      while (!text.includes(`id: ${id}\n`)) {
        const { value, done } = await reader.read()
        if (done) throw new Error(`the stream ended before ${id}`)
        text += new TextDecoder().decode(value)
      }
      return [...text.matchAll(/^event: job\nid: (\d+)$/gm)].map((match) => Number(match[1]))
    },
  }
}

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index)

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
})
afterEach(() => {
  vi.useRealTimers()
})

test('a consumer that resumes megabytes behind and reads gets everything once, then what is new', async () => {
  const outbox = createOutbox(6_000)
  const consumer = await consume(outbox.context, 0)
  expect(await consumer.readTo(6_000)).toEqual(range(1, 6_000))
  outbox.publish(3)
  expect(await consumer.readTo(6_003)).toEqual(range(1, 6_003))
  await consumer.reader.cancel()
  expect(outbox.listeners.size).toBe(0)
})

test('a consumer that resumes megabytes behind and never reads is dropped, and no timer throws', async () => {
  const outbox = createOutbox(6_000)
  const consumer = await consume(outbox.context, 0)
  await vi.advanceTimersByTimeAsync(60_000)
  expect(outbox.listeners.size).toBe(0)
  expect(vi.getTimerCount()).toBe(0)
  await expect(consumer.reader.closed).rejects.toThrow('does not read')
})

test('an up-to-date consumer that lags by more than 1 MB ends with an error, so that its connection is closed', async () => {
  const outbox = createOutbox(10)
  const consumer = await consume(outbox.context, 10)
  await consumer.reader.read()
  for (let commit = 0; commit < 12; commit += 1) outbox.publish(100)
  expect(outbox.listeners.size).toBe(0)
  await expect(consumer.reader.closed).rejects.toThrow('lags')
  expect(vi.getTimerCount()).toBe(0)
})

test('a quiet consumer is kept, with a sign of life now and then', async () => {
  const outbox = createOutbox(10)
  const consumer = await consume(outbox.context, 10)
  await vi.advanceTimersByTimeAsync(120_000)
  outbox.publish(1)
  expect(await consumer.readTo(11)).toEqual([11])
  expect(outbox.listeners.size).toBe(1)
  await consumer.reader.cancel()
})

test('an id older than the outbox keeps gets a reset', async () => {
  const outbox = createOutbox(100, 50)
  const consumer = await consume(outbox.context, 7)
  expect(await consumer.readTo(100)).toEqual([])
  outbox.publish(1)
  expect(await consumer.readTo(101)).toEqual([101])
  await consumer.reader.cancel()
})
