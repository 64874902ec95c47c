import { describe, expect, test } from 'vitest'
import { filterOfArguments, groupOf, jobGroups } from '../../../src/app/job-groups.ts'
import { handleKey } from '../../../src/app/keyboard.ts'
import {
  etaRangeText,
  etaText,
  percentOf,
  restText,
  resultText,
  testedText,
  timeText,
  unitsText,
} from '../../../src/app/shown-text.ts'
import { answerOf, ToolRefusal } from '../../../src/app/tool-answer.ts'
import { displayStates } from '../../../src/domain/wire/shared.ts'
import { review } from './jobs.ts'

const progress = { current: 4, total: 48, percent: 8.3, message: null, stage: null }
const eta = { seconds: 180, low_seconds: 120, high_seconds: 300, reason: null }

describe('what is shown', () => {
  test('how far it is', () => {
    expect(percentOf({ progress })).toBe(8)
    expect(percentOf({ progress: { ...progress, percent: 99.9 } })).toBe(99)
    expect(percentOf({ progress: null })).toBeNull()
    expect(etaText(eta)).toBe('about 3 m left')
    expect(etaRangeText(eta)).toBe('about 3 m left (2 m to 5 m)')
    expect(etaRangeText({ ...eta, seconds: null, reason: 'too few units' })).toBe('too few units')
    expect(etaText(null)).toBe('')
  })

  test('units, those that wait to be added as well', () => {
    const counts = { total: 4, available: 0, running: 0, completed: 3, failed: 1, cancelled: 0 }
    expect(unitsText({ counts, progress })).toBe('4 of 48 units, 1 failed')
    expect(unitsText({ counts, progress: null, units_waiting: 6 })).toBe('4 of 10 units, 1 failed')
    expect(unitsText({ counts: { ...counts, total: 1 }, progress })).toBe('')
    expect(unitsText({ progress })).toBe('')
  })

  test('a review', () => {
    expect(testedText(review())).toBe('3 of 4 test units completed, 1 failed, 2 s each, cost 0.12')
    expect(restText(review())).toBe('96 units still to run, about 3 m 12 s, cost about 2.88')
    const bare = review({ units_waiting: 1, rest_seconds: null, rest_cost: null })
    expect(restText(bare)).toBe('1 unit still to run')
  })

  test('times in the language and zone of the person, known or not', () => {
    const time = '2031-05-04T22:00:00Z'
    expect(timeText(time, { locale: 'en-GB', timeZone: 'Asia/Tokyo' })).toBe('5 May 2031, 07:00:00')
    expect(timeText(time, { locale: 'en-GB', timeZone: 'Nowhere/At-all' })).toContain('2031')
    expect(timeText('soon', {})).toBe('soon')
    expect(timeText(null, {})).toBe('')
  })

  test('the beginning of a long result', () => {
    expect(resultText({ a: 1 })).toEqual({ text: '{\n  "a": 1\n}', isCut: false })
    expect(resultText('x'.repeat(5_000))).toMatchObject({ isCut: true })
  })
})

describe('states', () => {
  test('each belongs to a group, and one that is not known yet is not lost', () => {
    for (const state of displayStates) expect(jobGroups).toContain(groupOf(state))
    expect(groupOf('constructor')).toBe('waiting')
  })

  test('the board opens with what was asked for in the chat', () => {
    expect(filterOfArguments({ states: ['failed'] })).toBe('failed')
    expect(filterOfArguments({ states: ['completed', 'cancelled'] })).toBe('finished')
    expect(filterOfArguments({ states: ['failed', 'running'] })).toBe('all')
    expect(filterOfArguments({ states: 'failed' })).toBe('all')
    expect(filterOfArguments({})).toBe('all')
  })
})

describe('answers of tools', () => {
  const content = [{ type: 'text', text: '{"jobs":[]}' }]

  test('are read from the text where a host drops the structured content', () => {
    expect(answerOf('list_jobs', { content })).toEqual({ jobs: [] })
    expect(answerOf('list_jobs', { content: [], structuredContent: { jobs: [1] } })).toEqual({ jobs: [1] })
  })

  test('that refuse are errors with their own text', () => {
    const refusal = { isError: true, content: [{ type: 'text', text: 'job_not_found: …' }] }
    expect(() => answerOf('job_status', refusal)).toThrow(new ToolRefusal('job_not_found: …'))
    expect(() => answerOf('job_status', { content: [{ type: 'text', text: 'hello' }] })).toThrow(
      'job_status gave an answer that cannot be read: hello',
    )
  })
})

describe('keys', () => {
  const pressed = (key: string, where: { isTyping?: boolean; scrolls?: boolean; isModified?: boolean } = {}) => {
    const done: string[] = []
    const isDone = handleKey(
      { key, isTyping: false, scrolls: false, isModified: false, ...where },
      {
        onMove: (step) => done.push(`move ${step}`),
        onSearch: () => done.push('search'),
        onEscape: () => done.push('escape'),
      },
    )
    expect(isDone).toBe(done.length > 0)
    return done.join()
  }

  test.each([
    ['j', {}, 'move 1'],
    ['k', {}, 'move -1'],
    ['ArrowDown', {}, 'move 1'],
    ['ArrowUp', {}, 'move -1'],
    ['/', {}, 'search'],
    ['Escape', { isTyping: true }, 'escape'],
    ['j', { isTyping: true }, ''],
    ['/', { isTyping: true }, ''],
    ['ArrowDown', { isTyping: true }, 'move 1'],
    ['ArrowDown', { scrolls: true }, ''],
    ['j', { isModified: true }, ''],
    ['x', {}, ''],
  ] as const)('%s %j: %s', (key, where, expected) => {
    expect(pressed(key, where)).toBe(expected)
  })
})
