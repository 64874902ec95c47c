import { describe, expect, test } from 'vitest'
import { type LogTail, nextLogCall, withLog, withoutLog } from '../../../src/app/log-tail.ts'
import type { LogsAnswer } from '../../../src/domain/wire/jobs.ts'
import { jobView } from './jobs.ts'

const running = jobView(1, { state: 'running', final: false })

function answer(text: string, more: Partial<LogsAnswer> = {}): LogsAnswer {
  const offset = more.offset ?? 0
  const end = offset + text.length
  return {
    id: 'job-1',
    unit: 0,
    attempt: 1,
    untrusted_output: text,
    offset,
    next_offset: end,
    total_bytes: end,
    dropped_bytes: 0,
    truncated: false,
    running: true,
    next: '',
    ...more,
  }
}

const read = (text: string, more: Partial<LogsAnswer> = {}): LogTail => withLog(null, answer(text, more), false)

describe('the end of the output', () => {
  test('is read once, then only what is new', () => {
    expect(nextLogCall(null, running)).toMatchObject({ id: 'job-1', mode: 'tail' })
    const tail = read('one\n')
    expect(nextLogCall(tail, running)).toMatchObject({ mode: 'range', unit: 0, attempt: 1, offset: 4 })
    expect(withLog(tail, answer('two\n', { offset: 4 }), false).text).toBe('one\ntwo\n')
  })

  test('is read to its end when the job has ended, and then no more', () => {
    const tail = read('one\n')
    expect(nextLogCall(tail, jobView(1))).not.toBeNull()
    const half = withLog(tail, answer('two\n', { offset: 4, running: false, total_bytes: 99 }), true)
    expect(nextLogCall(half, jobView(1))).toMatchObject({ mode: 'range', offset: 8 })
    const whole = withLog(half, answer('three\n', { offset: 8, running: false }), true)
    expect(nextLogCall(whole, jobView(1))).toBeNull()
  })

  test('begins anew with another attempt, unit or job', () => {
    const tail = read('old\n')
    expect(nextLogCall(tail, { ...running, attempts: 2 })).toMatchObject({ mode: 'tail' })
    expect(nextLogCall(tail, { ...running, id: 'job-2' })).toMatchObject({ id: 'job-2', mode: 'tail' })
    expect(withLog(tail, answer('new\n', { attempt: 2 }), false).text).toBe('new\n')
    expect(nextLogCall(read('', { attempt: 0, running: false }), running)).toMatchObject({ mode: 'tail' })
  })

  test('that cannot be read says why, keeps what was read, and is tried again', () => {
    const tail = withoutLog(read('one\n'), 'job-1', 'storage_error: …')
    expect(tail).toMatchObject({ text: 'one\n', problem: 'storage_error: …' })
    expect(nextLogCall(tail, running)).not.toBeNull()
    expect(withoutLog(tail, 'job-2', 'gone')).toMatchObject({ jobId: 'job-2', text: '' })
  })

  test('says what it leaves out, and never grows without bound', () => {
    expect(read('x', { offset: 10 }).isCut).toBe(true)
    expect(read('x', { dropped_bytes: 10 }).isCut).toBe(true)
    expect(read('x').isCut).toBe(false)
    const line = `${'y'.repeat(99)}\n`
    const long = withLog(read(line.repeat(599)), answer(line.repeat(50), { offset: 59_900 }), false)
    expect(long.text.length).toBeLessThanOrEqual(60_000)
    expect(long.text.startsWith('y'.repeat(99))).toBe(true)
    expect(long.isCut).toBe(true)
  })
})
