import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import * as jobs from '../../../src/domain/wire/jobs.ts'
import { managerFile, problem, stopRequest } from '../../../src/domain/wire/manager.ts'
import { operationNames, operations } from '../../../src/domain/wire/operations.ts'
import {
  apiVersion,
  errorView,
  jobId,
  jobView,
  oldestApiVersion,
  progressView,
} from '../../../src/domain/wire/shared.ts'

const id = '01941f29-7c00-7000-8000-000000000001'
const accepts = (schema: z.ZodType, value: unknown): boolean => schema.safeParse(value).success

describe('job ids', () => {
  test.each([id, 'ffffffff-ffff-7fff-bfff-ffffffffffff'])('%s is one', (text) => {
    expect(accepts(jobId, text)).toBe(true)
  })
  test.each([
    '',
    'latest',
    id.toUpperCase(),
    `${id}\n`,
    ` ${id}`,
    '01941f29-7c00-4000-8000-000000000001',
    '01941f29-7c00-7000-0000-000000000001',
    "01941f29-7c00-7000-8000-00000000000'",
  ])('%j is none', (text) => {
    expect(accepts(jobId, text)).toBe(false)
  })
})

describe('bounds of requests', () => {
  test.each<[string, z.ZodType, unknown, boolean]>([
    ['status of one', jobs.statusRequest, { ids: [id] }, true],
    ['status of none', jobs.statusRequest, { ids: [] }, false],
    ['status of 51', jobs.statusRequest, { ids: Array(51).fill(id) }, false],
    ['status with a typing error', jobs.statusRequest, { ids: [id], details: 'full' }, false],
    ['wait of 45 s', jobs.waitRequest, { ids: [id], timeout_s: 45 }, true],
    ['wait of 46 s', jobs.waitRequest, { ids: [id], timeout_s: 46 }, false],
    ['wait of -1 s', jobs.waitRequest, { ids: [id], timeout_s: -1 }, false],
    ['wait from a cursor', jobs.waitRequest, { ids: [id], cursor: '0' }, true],
    ['wait from a made-up cursor', jobs.waitRequest, { ids: [id], cursor: '1; DROP' }, false],
    ['wait until something else', jobs.waitRequest, { ids: [id], until: 'done' }, false],
    ['a list', jobs.listRequest, {}, true],
    ['a list of unfinished', jobs.listRequest, { states: ['unfinished'], text: '"* OR NEAR(' }, true],
    ['a list of no state', jobs.listRequest, { states: [] }, false],
    ['a list of a displayed state', jobs.listRequest, { states: ['cancelling'] }, false],
    ['a page of 101', jobs.listRequest, { limit: 101 }, false],
    ['a page of 0', jobs.listRequest, { limit: 0 }, false],
    ['an empty search', jobs.listRequest, { text: '' }, false],
    ['logs from a negative byte', jobs.logsRequest, { id, mode: 'range', offset: -1 }, false],
    ['logs of 200,001 bytes', jobs.logsRequest, { id, max_bytes: 200_001 }, false],
    ['logs of attempt 0', jobs.logsRequest, { id, attempt: 0 }, false],
    ['a result of 99 bytes', jobs.resultRequest, { id, max_bytes: 99 }, false],
    ['a cancel by filter', jobs.cancelRequest, { filter: { labels: { batch: '7' } } }, true],
    ['news of a client', jobs.whatsNewRequest, { client: 'desktop', acknowledge: '12' }, true],
    ['news up to a made-up cursor', jobs.whatsNewRequest, { acknowledge: 'all' }, false],
    ['a stop', stopRequest, {}, true],
    ['a stop that waits for a day', stopRequest, { drain_ms: 86_400_000 }, false],
    ['a stop for no known reason', stopRequest, { reason: 'bored' }, false],
  ])('%s', (_name, schema, value, expected) => {
    expect(accepts(schema, value)).toBe(expected)
  })

  test('defaults are filled in', () => {
    expect(jobs.waitRequest.parse({ ids: [id] })).toEqual({ ids: [id], until: 'all_ended', timeout_s: 25 })
    expect(jobs.listRequest.parse({})).toEqual({ limit: 20 })
    expect(jobs.logsRequest.parse({ id })).toEqual({ id, max_bytes: 8_000 })
    expect(stopRequest.parse({})).toEqual({ drain_ms: 0, running: 'leave', reason: 'user' })
    expect(jobs.statusRequest.parse({ ids: [id] })).toEqual({ ids: [id], detail: 'concise' })
  })

  test('every long poll stays under the 45 s that clients allow', () => {
    expect(jobs.longestWaitSeconds).toBeLessThanOrEqual(45)
    expect(jobs.defaultWaitSeconds).toBeLessThan(jobs.longestWaitSeconds)
  })
})

describe('answers', () => {
  test('refuse what the schema does not name, so that nothing leaks by accident', () => {
    expect(accepts(errorView, { code: 'internal', message: 'm', remedy: 'r' })).toBe(true)
    expect(accepts(errorView, { code: 'internal', message: 'm', remedy: 'r', stack: 'at …' })).toBe(false)
    expect(accepts(errorView, { code: 'no_such_code', message: 'm', remedy: 'r' })).toBe(false)
  })

  test('a percentage is between 0 and 100 or unknown', () => {
    const view = { current: 1, total: null, message: null, stage: null }
    expect(accepts(progressView, { ...view, percent: 100 })).toBe(true)
    expect(accepts(progressView, { ...view, percent: null })).toBe(true)
    expect(accepts(progressView, { ...view, percent: 100.1 })).toBe(false)
  })

  test('a newer manager may tell more in its handshake, its file and its errors', () => {
    const file = {
      pid: 1,
      start_time: '1',
      boot_id: 'b',
      instance_id: 'i',
      epoch: 1,
      version: '9.0.0',
      api_version: 9,
      node: '/n',
      entry: '/e',
      socket: null,
      state: 'starting',
      written_at: 1,
      from_the_future: true,
    }
    expect(accepts(managerFile, file)).toBe(true)
    expect(accepts(managerFile, { ...file, pid: 'x' })).toBe(false)
    expect(accepts(problem, { type: 't', title: 't', status: 404, detail: 'd', code: 'c', remedy: 'r', new: 1 })).toBe(
      true,
    )
  })
})

describe('every operation', () => {
  test.each(operationNames)('%s has a strict request and JSON Schemas both ways', (name) => {
    const operation = operations[name]
    const request = z.toJSONSchema(operation.request, { io: 'input' })
    expect(request['type']).toBe('object')
    expect(request['additionalProperties']).toBe(false)
    expect(z.toJSONSchema(operation.answer)['type']).toBe('object')
    expect(operation.summary.length).toBeGreaterThan(5)
    expect(name).toMatch(/^[a-z_]{3,40}$/)
  })

  test('the API version is at least the oldest it speaks', () => {
    expect(apiVersion).toBeGreaterThanOrEqual(oldestApiVersion)
    expect(apiVersion - oldestApiVersion).toBeLessThanOrEqual(1)
  })

  test('the view of a job has a sentence for its state and knows whether it is final', () => {
    expect(Object.keys(jobView.shape)).toEqual(expect.arrayContaining(['state', 'why', 'final', 'stored_state']))
  })
})
