import { describe, expect, test } from 'vitest'
import { implementations } from './support/implementations.ts'

describe.each(implementations)('$name: readWatermark, recordShown, acknowledge', ({ open }) => {
  test('begins at nothing, for each reader alone', () => {
    const { store } = open()
    store.acknowledge('ann', 5)
    expect(store.readWatermark('ann')).toEqual({ acknowledged: 5, shown: 5 })
    expect(store.readWatermark('bob')).toEqual({ acknowledged: 0, shown: 0 })
  })

  test('showing does not acknowledge', () => {
    const { store } = open()
    store.recordShown('ann', 7)
    expect(store.readWatermark('ann')).toEqual({ acknowledged: 0, shown: 7 })
    expect(store.acknowledge('ann', 3)).toEqual({ acknowledged: 3, shown: 7 })
  })

  test('moves forward, never back', () => {
    const { store } = open()
    store.recordShown('ann', 9)
    store.recordShown('ann', 4)
    expect(store.acknowledge('ann', 12)).toEqual({ acknowledged: 12, shown: 12 })
    expect(store.acknowledge('ann', 8)).toEqual({ acknowledged: 12, shown: 12 })
    store.recordShown('ann', 1)
    expect(store.readWatermark('ann')).toEqual({ acknowledged: 12, shown: 12 })
  })
})
