import { describe, expect, test } from 'vitest'
import { implementations } from './support/implementations.ts'
import { start } from './support/jobs.ts'
import { hour, newRun, newSchedule } from './support/schedules.ts'

describe.each(implementations)('$name: saveSchedule, readSchedules, removeSchedule, advanceSchedule', ({ open }) => {
  test('keeps every field and lists by name', () => {
    const { store } = open()
    const weekly = newSchedule('weekly', { cron: '0 9 * * 1', everyMs: null, enabled: false, nextRunAt: null })
    const hourly = newSchedule('hourly', { submission: { params: { argv: ['a', 'b'] }, labels: { x: 'ü' } } })
    store.saveSchedule(weekly)
    store.saveSchedule(hourly)
    expect(store.readSchedules()).toEqual([hourly, weekly])
  })

  test('saving again changes what is known, but not when it was made', () => {
    const { store } = open()
    store.saveSchedule(newSchedule('nightly'))
    const changed = newSchedule('nightly', {
      cron: '0 3 * * *',
      everyMs: null,
      missedPolicy: 'all',
      overlapPolicy: 'cancel',
      nextRunAt: start + hour,
      createdAt: start + 7,
      updatedAt: start + 7,
    })
    store.saveSchedule(changed)
    expect(store.readSchedules()).toEqual([{ ...changed, createdAt: start }])
  })

  test('two schedules never have one name', () => {
    const { store } = open()
    store.saveSchedule(newSchedule('nightly'))
    expect(() => store.saveSchedule({ ...newSchedule('nightly'), id: 'another' })).toThrow()
    expect(store.readSchedules().map((schedule) => schedule.id)).toEqual(['schedule-nightly'])
  })

  test('removing takes its runs along, and says when there was none', () => {
    const { store } = open()
    store.saveSchedule(newSchedule('nightly'))
    store.saveSchedule(newSchedule('daily'))
    store.recordScheduleRun(newRun('nightly', start, { outcome: 'missed' }))
    store.recordScheduleRun(newRun('daily', start))
    expect(store.removeSchedule('schedule-nightly')).toBe(true)
    expect(store.removeSchedule('schedule-nightly')).toBe(false)
    expect(store.readSchedules().map((schedule) => schedule.name)).toEqual(['daily'])
    expect(store.readScheduleRuns('schedule-nightly', 10)).toEqual([])
    expect(store.readScheduleRuns('schedule-daily', 10)).toHaveLength(1)
    expect(store.readScheduleNews(0, 10)).toEqual([])
  })

  test('moves the due time only from what was read', () => {
    const { store } = open()
    store.saveSchedule(newSchedule('nightly'))
    const due = () => store.readSchedules()[0]?.nextRunAt
    expect(store.advanceSchedule('schedule-nightly', start + 1, start + hour)).toBe(false)
    expect(store.advanceSchedule('schedule-nightly', null, start + hour)).toBe(false)
    expect(due()).toBe(start)
    expect(store.advanceSchedule('schedule-nightly', start, start + hour)).toBe(true)
    expect(store.advanceSchedule('schedule-nightly', start, start + 2 * hour)).toBe(false)
    expect(due()).toBe(start + hour)
    expect(store.advanceSchedule('schedule-nightly', start + hour, null)).toBe(true)
    expect(store.advanceSchedule('schedule-nightly', null, start + 3 * hour)).toBe(true)
    expect(due()).toBe(start + 3 * hour)
    expect(store.advanceSchedule('schedule-unknown', null, start)).toBe(false)
  })
})
