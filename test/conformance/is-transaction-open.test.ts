import { describe, expect, test } from 'vitest'
import { implementations } from './support/implementations.ts'
import { newJob } from './support/jobs.ts'

describe.each(implementations)('$name: isTransactionOpen', ({ open }) => {
  test('is true only inside atomically', () => {
    const { store } = open()
    expect(store.isTransactionOpen()).toBe(false)
    expect(store.atomically(() => store.isTransactionOpen())).toBe(true)
    expect(store.atomically(() => store.atomically(() => store.isTransactionOpen()))).toBe(true)
    store.submitJob(newJob(1))
    expect(store.isTransactionOpen()).toBe(false)
  })
})
