import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { get, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAdaptorServer, type HttpBindings } from '@hono/node-server'
import { Hono } from 'hono'
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { eventsRoute } from '../../../src/manager/api/events-route.ts'
import type { ServiceContext } from '../../../src/manager/services/service-context.ts'
import { createOutbox } from './outbox.ts'

/** Follows the stream over a connection of its own; reads nothing before `readTo`. */
async function consume(context: ServiceContext, after: number, jobs?: string) {
  const api = new Hono<{ Bindings: HttpBindings }>().get('/v1/events', (request) => eventsRoute(context, request))
  const folder = mkdtempSync(join(tmpdir(), 'nk-events-'))
  const socketPath = join(folder, 'events')
  const path = `/v1/events?after=${after}${jobs === undefined ? '' : `&jobs=${jobs}`}`
  const server = createAdaptorServer({ fetch: api.fetch }).listen(socketPath)
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    server.once('listening', () => get({ socketPath, path }, resolve).on('error', reject))
  })
  response.on('error', () => undefined)
  onTestFinished(() => {
    response.destroy()
    server.close()
    rmSync(folder, { recursive: true })
  })
  let text = ''
  const readOn = async (isEnough: () => boolean) => {
    while (!isEnough()) {
      const chunk = response.read() as Buffer | null
      if (chunk === null) await once(response, 'readable')
      else text += chunk.toString()
    }
  }
  return {
    response,
    /** Reads until so many changes of the job types were told. @returns what was told, in order */
    async readToJobTypes(count: number): Promise<string[]> {
      const kinds = () => [...text.matchAll(/^event: (\w+)$/gm)].map((match) => match[1] ?? '')
      await readOn(() => kinds().filter((kind) => kind === 'job_types').length >= count)
      return kinds()
    },
    /** Reads until an event with this id has come. */
    async readTo(id: number): Promise<number[]> {
      await readOn(() => text.includes(`id: ${id}\n`))
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
  consumer.response.destroy()
  await expect.poll(() => outbox.listeners.size).toBe(0)
})

test('a consumer that resumes megabytes behind and never reads is dropped, and no timer throws', async () => {
  const outbox = createOutbox(6_000)
  const consumer = await consume(outbox.context, 0)
  await expect
    .poll(async () => {
      await vi.advanceTimersByTimeAsync(20_000)
      return outbox.listeners.size
    })
    .toBe(0)
  expect(vi.getTimerCount()).toBe(0)
  await expect(consumer.readTo(6_000)).rejects.toThrow('aborted')
})

test('an up-to-date consumer that lags by more than 1 MB loses its connection', async () => {
  const outbox = createOutbox(10)
  const consumer = await consume(outbox.context, 10)
  for (let commit = 0; commit < 30; commit += 1) outbox.publish(100)
  expect(outbox.listeners.size).toBe(0)
  expect(vi.getTimerCount()).toBe(0)
  await expect(consumer.readTo(3_010)).rejects.toThrow('aborted')
})

test('a quiet consumer is kept, with a sign of life now and then', async () => {
  const outbox = createOutbox(10)
  const consumer = await consume(outbox.context, 10)
  await vi.advanceTimersByTimeAsync(120_000)
  outbox.publish(1)
  expect(await consumer.readTo(11)).toEqual([11])
  expect(outbox.listeners.size).toBe(1)
})

test('an id older than the outbox keeps gets a reset', async () => {
  const outbox = createOutbox(100, 50)
  const consumer = await consume(outbox.context, 7)
  expect(await consumer.readTo(100)).toEqual([])
  outbox.publish(1)
  expect(await consumer.readTo(101)).toEqual([101])
})

test('a change of the job types is told at once, without an id, to whoever listens', async () => {
  const outbox = createOutbox(10)
  const consumer = await consume(outbox.context, 10)
  outbox.publish(1)
  outbox.changeJobTypes()
  outbox.publish(1)
  expect(await consumer.readToJobTypes(1)).toEqual(expect.arrayContaining(['job', 'job_types']))
  expect(await consumer.readTo(12)).toEqual([11, 12])
  consumer.response.destroy()
  await expect.poll(() => outbox.typeListeners.size).toBe(0)
})

test('a consumer that is behind hears of changed job types once, behind what it has missed', async () => {
  const outbox = createOutbox(1_500)
  const consumer = await consume(outbox.context, 0)
  outbox.changeJobTypes()
  outbox.changeJobTypes()
  const kinds = await consumer.readToJobTypes(1)
  expect(kinds).toEqual([...Array.from({ length: 1_500 }, () => 'job'), 'job_types'])
})

test('who asks for some jobs gets their events and those of new jobs, old and live', async () => {
  const about = (id: number) => ({ type: id % 100 === 0 ? 'job.submitted' : 'unit.completed', jobId: `job-${id % 7}` })
  const outbox = createOutbox(9_000, 0, about)
  const consumer = await consume(outbox.context, 0, 'job-3,job-none')
  outbox.publish(3)
  const ids = range(1, 9_003).filter((id) => id % 100 === 0 || id % 7 === 3)
  const last = ids.at(-1) ?? 0
  expect(await consumer.readTo(last)).toEqual(ids)
  outbox.publish(97)
  expect((await consumer.readTo(9_100)).filter((id) => id > last)).toEqual(
    range(last + 1, 9_100).filter((id) => id % 100 === 0 || id % 7 === 3),
  )
})
