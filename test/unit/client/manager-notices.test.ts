import { describe, expect, test } from 'vitest'
import { eventsPath, type ManagerNotice, readNotices } from '../../../src/client/manager-notices.ts'
import type { EventMessage } from '../../../src/domain/wire/manager.ts'

function message(id: number, jobId: string, type = 'unit.completed'): EventMessage {
  return { id, type, job_id: jobId, unit_id: null, data: {}, at: '2030-01-01T00:00:00.000Z' }
}

function asText(event: EventMessage): string {
  return `event: job\nid: ${event.id}\ndata: ${JSON.stringify(event)}\n\n`
}

async function* streamOf(...parts: string[]) {
  for (const part of parts) yield Buffer.from(part)
}

async function allOf(notices: AsyncIterable<ManagerNotice>): Promise<ManagerNotice[]> {
  const all: ManagerNotice[] = []
  for await (const notice of notices) all.push(notice)
  return all
}

describe('readNotices', () => {
  test('says first that the stream is open, even when nothing comes', async () => {
    expect(await allOf(readNotices(streamOf()))).toEqual([{ kind: 'open' }])
  })

  test('tells every kind, and nothing of kinds that it does not know', async () => {
    const event = message(7, 'job-1')
    const stream = streamOf(
      ': hello\n\n',
      asText(event),
      'event: job_types\ndata: {}\n\nevent: weather\ndata: {"sun":true}\n\n',
      'event: reset\nid: 90\ndata: {"newest":90}\n\n',
    )
    expect(await allOf(readNotices(stream))).toEqual([
      { kind: 'open' },
      { kind: 'job', event },
      { kind: 'job_types' },
      { kind: 'reset', newest: 90 },
    ])
  })

  test('sifts what an earlier manager did not', async () => {
    const events = [message(1, 'a'), message(2, 'b'), message(3, 'b', 'job.submitted'), message(4, 'a')]
    const notices = await allOf(readNotices(streamOf(...events.map(asText)), ['a']))
    expect(notices.flatMap((notice) => (notice.kind === 'job' ? notice.event.id : []))).toEqual([1, 3, 4])
  })
})

test('the request names the jobs as long as they fit', () => {
  const ids = Array.from({ length: 200 }, () => '01941f29-7c00-7000-8000-000000000001')
  expect(eventsPath({})).toBe('/v1/events')
  expect(eventsPath({ after: 0 })).toBe('/v1/events?after=0')
  expect(eventsPath({ after: 12, jobIds: ['a', 'b'] })).toBe('/v1/events?after=12&jobs=a%2Cb')
  expect(eventsPath({ jobIds: [] })).toBe('/v1/events?jobs=')
  expect(eventsPath({ jobIds: ids }).length).toBeLessThan(12_000)
  expect(eventsPath({ jobIds: [...ids, 'one-more'] })).toBe('/v1/events')
})
