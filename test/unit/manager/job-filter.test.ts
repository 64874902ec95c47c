import { expect, test } from 'vitest'
import { decodeCursor, encodeCursor, storeFilter } from '../../../src/manager/services/job-filter.ts'

test('groups of states are spelled out, each state once', () => {
  expect(storeFilter({ states: ['unfinished', 'running', 'failed'] }).states).toEqual(['queued', 'running', 'failed'])
})

test('a cursor comes back for its own filter only', () => {
  const filter = storeFilter({ type: 'command' })
  expect(decodeCursor(encodeCursor(42, filter), filter)).toBe(42)
  expect(() => decodeCursor(encodeCursor(42, filter), storeFilter({ type: 'other' }))).toThrow('another filter')
})

test.each([
  '',
  'x',
  Buffer.from('{"v":1,"seq":1.5}').toString('base64url'),
  Buffer.from('{"v":2,"seq":1}').toString('base64url'),
  Buffer.from('null').toString('base64url'),
])('refuses "%s"', (cursor) => {
  expect(() => decodeCursor(cursor, storeFilter({}))).toThrow(/is not one that list_jobs answered/)
})
