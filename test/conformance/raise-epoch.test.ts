import { describe, expect, test } from 'vitest'
import { implementations } from './support/implementations.ts'
import { start } from './support/jobs.ts'

describe.each(implementations)('$name: raiseEpoch', ({ open }) => {
  test('grows by one at every call, whoever calls', () => {
    const { store, openAnother } = open()
    const first = store.raiseEpoch('first', start)
    expect(openAnother().raiseEpoch('second', start)).toBe(first + 1)
    expect(store.raiseEpoch('first', start)).toBe(first + 2)
  })
})
