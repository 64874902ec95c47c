import { describe, expect, it } from 'vitest'
import { filterOf } from '../../../src/cli/job-filter.ts'
import { pick } from '../../../src/cli/job-ids.ts'

const known = [
  '01a200a5-7253-767b-9ee4-c471bba4d612',
  '01a200a5-580e-7e89-ad89-2a6f000561a2',
  '01a200a5-5620-7f83-90c6-fa83ec6661a2',
]

describe('job ids as typed', () => {
  it('takes whole ids, even unknown ones, in any case', () => {
    expect(pick('01A200A5-580E-7E89-AD89-2A6F000561A2', [])).toBe('01a200a5-580e-7e89-ad89-2a6f000561a2')
  })

  it('takes the end of an id, and "last" for the newest', () => {
    expect(pick('000561a2', known)).toBe(known[1])
    expect(pick('last', known)).toBe(known[0])
  })

  it('refuses an ambiguous end instead of choosing one', () => {
    expect(() => pick('61a2', known)).toThrow('fits 2 jobs')
  })

  it('refuses text that is no id, and says when none fits', () => {
    expect(() => pick('build', known)).toThrow('is not a job id')
    expect(() => pick('a2', known)).toThrow('is not a job id')
    expect(() => pick('ffffffff', known)).toThrow('no job among the newest 3')
    expect(() => pick('last', [])).toThrow('no job yet')
  })
})

describe('filters', () => {
  const now = Date.UTC(2030, 0, 2)

  it('maps every option and is empty without any', () => {
    expect(filterOf({}, now)).toEqual({})
    expect(
      filterOf(
        {
          state: ['failed', 'running'],
          type: 'command',
          queue: 'q',
          label: ['a=1'],
          since: '1d',
          before: '2030-01-01T12:00:00Z',
          text: 'x',
        },
        now,
      ),
    ).toEqual({
      states: ['failed', 'running'],
      type: 'command',
      queue: 'q',
      labels: { a: '1' },
      created_after: '2030-01-01T00:00:00.000Z',
      created_before: '2030-01-01T12:00:00.000Z',
      text: 'x',
    })
  })

  it('names a state that does not exist', () => {
    expect(() => filterOf({ state: ['running', 'paused?'] }, now)).toThrow('--state is "paused?"')
  })
})
