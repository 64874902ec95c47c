import { describe, expect, test } from 'vitest'
import { errorCodes, errorKinds, QueueError, toErrorRecord } from '../../../src/domain/errors.ts'

/** The exit codes that scripts may rely on, by kind of trouble. */
const documented: Readonly<Record<number, string>> = {
  1: 'a defect of Nightkiln',
  2: 'bad input',
  3: 'not found',
  4: 'conflict with the present state',
  5: 'a limit was reached',
  6: 'the job itself failed',
  7: 'manager or worker not available',
  8: 'storage',
  9: 'configuration',
}

describe.each(errorCodes)('%s', (code) => {
  const kind = errorKinds[code]

  test('has every field, as sentences with an end', () => {
    expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/)
    expect(kind.meaning).toMatch(/^[A-Z].{10,}\.$/)
    expect(kind.remedy).toMatch(/^[A-Z].{10,}\.$/)
    expect(typeof kind.retryable).toBe('boolean')
  })

  test('has a documented exit code and an HTTP error status', () => {
    expect(documented[kind.exitCode]).toBeDefined()
    expect(kind.httpStatus).toBeGreaterThanOrEqual(400)
    expect(kind.httpStatus).toBeLessThan(600)
  })

  test('makes an error that carries its remedy', () => {
    const error = new QueueError(code, 'something is wrong')
    expect(error).toBeInstanceOf(Error)
    expect(error.name).toBe('QueueError')
    expect(error.remedy).toBe(kind.remedy)
    expect(error.retryable).toBe(kind.retryable)
    expect(error.details).toEqual({})
  })
})

test('codes are never removed or renamed', () => {
  const published = [
    'invalid_input unknown_job_type job_not_found unit_not_found invalid_transition idempotency_conflict',
    'limit_exceeded lease_lost attempt_timed_out command_failed command_not_started handler_failed',
    'handler_rejected worker_crashed poison gpu_unavailable manager_unavailable version_mismatch storage_busy',
    'storage_full storage_refused outcome_unknown schema_too_new config_invalid internal',
  ].flatMap((line) => line.split(' '))
  expect(errorCodes).toEqual(expect.arrayContaining(published))
})

describe('toErrorRecord', () => {
  test('keeps code, message, remedy and details of a QueueError', () => {
    const error = new QueueError('command_failed', 'exit code 2', { details: { exit_code: 2 }, remedy: 'Look.' })
    expect(toErrorRecord(error)).toEqual({
      code: 'command_failed',
      message: 'exit code 2',
      remedy: 'Look.',
      details: { exit_code: 2 },
    })
  })

  test('leaves empty details out', () => {
    expect(toErrorRecord(new QueueError('internal', 'x'))).not.toHaveProperty('details')
  })

  test.each([
    ['an error', new TypeError('broken'), 'broken'],
    ['a text', 'broken', 'broken'],
    ['nothing', undefined, 'undefined'],
    ['null', null, 'null'],
    ['an object', { a: 1 }, '[object Object]'],
  ])('turns %s into internal with its message only', (_name, thrown, message) => {
    expect(toErrorRecord(thrown)).toEqual({ code: 'internal', message, remedy: errorKinds.internal.remedy })
  })

  test('never holds a stack, neither of the error nor of its cause', () => {
    const cause = new Error('deep inside')
    for (const thrown of [new QueueError('internal', 'outside', { cause }), new Error('outside', { cause })]) {
      const text = JSON.stringify(toErrorRecord(thrown))
      expect(text).not.toMatch(/\bat .*:\d+:\d+/)
      expect(text).not.toContain('stack')
      expect(text).not.toContain('deep inside')
    }
  })
})

test('the cause stays with the error for the log', () => {
  const cause = new Error('ENOSPC')
  expect(new QueueError('storage_full', 'the disk is full', { cause }).cause).toBe(cause)
  expect(new QueueError('storage_full', 'the disk is full').cause).toBeUndefined()
})
