import { describe, expect, test } from 'vitest'
import type { JobOptions } from '../../../src/domain/job.ts'
import { classOfExit } from '../../../src/manager/runtime/failure-class.ts'
import { jobOptions } from '../../support/job-options.ts'

const now = Date.UTC(2031, 0, 1)
const options = (changes: Partial<JobOptions> = {}): JobOptions => ({ ...jobOptions, ...changes })
const sign = { exitCodes: [75], text: 'Too Many Requests', waitMs: 60_000 }

describe('classOfExit', () => {
  test('an exit code is retryable unless the job says otherwise', () => {
    expect(classOfExit(options(), 1, '', now)).toEqual({ kind: 'retryable' })
    const none = { exitCode: false, timeout: true, onlyExitCodes: null, rejectedExitCodes: [] }
    expect(classOfExit(options({ retry: none }), 1, '', now)).toEqual({ kind: 'final' })
    const only = { exitCode: true, timeout: true, onlyExitCodes: [7], rejectedExitCodes: [65] }
    expect(classOfExit(options({ retry: only }), 7, '', now)).toEqual({ kind: 'retryable' })
    expect(classOfExit(options({ retry: only }), 8, '', now)).toEqual({ kind: 'final' })
    expect(classOfExit(options({ retry: only }), 65, '', now)).toEqual({ kind: 'rejected' })
  })

  test.each([
    ['by exit code', 75, '', 60_000],
    ['by text, in any case', 1, 'HTTP 429 too many requests\n', 60_000],
    ['with seconds', 75, 'x\nRetry-After: 12\n', 12_000],
    ['with a fraction', 75, 'retry-after: 2.5', 2_500],
    ['with a part of a millisecond', 75, 'retry-after: 1.23456', 1_235],
    ['with a time', 75, `retry-after: ${new Date(now + 90_000).toUTCString()}`, 90_000],
    ['the last one counts', 75, 'retry-after: 5\nretry-after: 7\n', 7_000],
    ['what is no time', 75, 'retry-after: soon', 60_000],
    ['at least a second', 75, 'retry-after: 0', 1_000],
    ['a time that has passed', 75, 'retry-after: -4', 1_000],
    ['at most a day', 75, 'retry-after: 99999999', 24 * 3_600_000],
  ])('it was told to slow down: %s', (_, exitCode, tail, waitMs) => {
    expect(classOfExit(options({ rateLimit: sign }), exitCode, tail, now)).toEqual({
      kind: 'rate_limited',
      until: now + waitMs,
    })
  })

  test('other failures of such a job are failures', () => {
    expect(classOfExit(options({ rateLimit: sign }), 1, 'segfault', now)).toEqual({ kind: 'retryable' })
  })
})
