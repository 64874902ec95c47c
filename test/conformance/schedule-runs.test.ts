import { describe, expect, test } from 'vitest'
import { implementations } from './support/implementations.ts'
import { jobIdOf, start } from './support/jobs.ts'
import { hour, newRun, newSchedule } from './support/schedules.ts'

describe.each(implementations)('$name: recordScheduleRun, readScheduleRuns, readScheduleNews', ({ open }) => {
  test('a due time is recorded once, whatever comes after it', () => {
    const { store } = open()
    store.saveSchedule(newSchedule('nightly'))
    const run = newRun('nightly', start, { jobId: jobIdOf(1) })
    expect(store.recordScheduleRun(run)).toBe(true)
    const before = store.lastEventId()
    expect(store.recordScheduleRun(run)).toBe(false)
    expect(store.recordScheduleRun({ ...run, outcome: 'missed', jobId: null })).toBe(false)
    expect(store.readScheduleRuns('schedule-nightly', 10)).toEqual([run])
    expect(store.lastEventId()).toBe(before)
  })

  test('the same due time of another schedule is another one', () => {
    const { store } = open()
    store.saveSchedule(newSchedule('nightly'))
    store.saveSchedule(newSchedule('daily'))
    expect(store.recordScheduleRun(newRun('nightly', start))).toBe(true)
    expect(store.recordScheduleRun(newRun('daily', start))).toBe(true)
  })

  test('nothing is recorded for a schedule that is gone', () => {
    const { store } = open()
    expect(store.recordScheduleRun(newRun('nightly', start))).toBe(false)
    expect(store.lastEventId()).toBe(0)
  })

  test('tells by an event with the job, if there is one', () => {
    const { store } = open()
    store.saveSchedule(newSchedule('nightly'))
    store.recordScheduleRun(newRun('nightly', start, { jobId: jobIdOf(1) }))
    store.recordScheduleRun(newRun('nightly', start + hour, { outcome: 'refused', error: 'no such type' }))
    const told = store.readEvents(0, 10).map(({ type, jobId, data }) => ({ type, jobId, data }))
    const schedule_id = 'schedule-nightly'
    expect(told).toEqual([
      { type: 'schedule.submitted', jobId: jobIdOf(1), data: { schedule_id, due_at: start, error: null } },
      { type: 'schedule.refused', jobId: '', data: { schedule_id, due_at: start + hour, error: 'no such type' } },
    ])
  })

  test('a run that was rolled back may be recorded again', () => {
    const { store } = open()
    store.saveSchedule(newSchedule('nightly'))
    const attempt = () =>
      store.atomically(() => {
        store.recordScheduleRun(newRun('nightly', start))
        throw new Error('the submit failed')
      })
    expect(attempt).toThrow('the submit failed')
    expect(store.recordScheduleRun(newRun('nightly', start))).toBe(true)
  })

  test('shows the newest due times first', () => {
    const { store } = open()
    store.saveSchedule(newSchedule('nightly'))
    for (const hours of [2, 0, 1]) store.recordScheduleRun(newRun('nightly', start + hours * hour))
    const due = store.readScheduleRuns('schedule-nightly', 2).map((run) => (run.dueAt - start) / hour)
    expect(due).toEqual([2, 1])
  })

  test('news are what did not become a job, in the order it happened', () => {
    const { store } = open()
    store.saveSchedule(newSchedule('nightly'))
    store.saveSchedule(newSchedule('daily'))
    store.recordScheduleRun(newRun('nightly', start + hour, { outcome: 'missed' }))
    store.recordScheduleRun(newRun('daily', start))
    store.recordScheduleRun(newRun('nightly', start, { outcome: 'overlapped' }))
    store.recordScheduleRun(newRun('daily', start + hour, { outcome: 'refused', error: 'full' }))
    const news = store.readScheduleNews(0, 10)
    expect(news.map(({ scheduleName, run }) => `${scheduleName} ${run.outcome}`)).toEqual([
      'nightly missed',
      'nightly overlapped',
      'daily refused',
    ])
    expect(news[2]?.run).toEqual(newRun('daily', start + hour, { outcome: 'refused', error: 'full' }))
    const types = new Map(store.readEvents(0, 10).map((event) => [event.id, event.type]))
    expect(news.map(({ eventId }) => types.get(eventId))).toEqual([
      'schedule.missed',
      'schedule.overlapped',
      'schedule.refused',
    ])
    expect(store.readScheduleNews(news[0]?.eventId ?? 0, 1)).toEqual([news[1]])
    expect(store.readScheduleNews(news[2]?.eventId ?? 0, 10)).toEqual([])
  })
})
