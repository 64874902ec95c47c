import { expect, test } from 'vitest'
import { Estimator } from '../../../src/manager/runtime/estimator.ts'

const at = (current: number, total: number | null = 100) => ({ current, total, message: null, stage: null })

test('says why there is no estimate until three steps forward were seen', () => {
  const estimator = new Estimator()
  expect(estimator.estimate(0)).toMatchObject({ seconds: null, reason: 'it has not reported measurable progress' })
  estimator.add(at(10), 1_000)
  estimator.add(at(10), 2_000)
  estimator.add(at(7, null), 2_500)
  expect(estimator.estimate(3_000)).toMatchObject({ seconds: null, reason: '1 of 3 progress reports needed' })
})

test('goes on at the pace so far, counts down between reports, and says when that time is over', () => {
  const estimator = new Estimator()
  for (const step of [1, 2, 3]) estimator.add(at(step * 10), step * 1_000)
  expect(estimator.estimate(3_000)).toMatchObject({ seconds: 7, reason: null })
  expect(estimator.estimate(5_000)).toMatchObject({ seconds: 5 })
  expect(estimator.estimate(60_000)).toMatchObject({
    seconds: null,
    reason: 'no progress for longer than the rest should take',
  })
})

test('the range is at most three times wide', () => {
  const estimator = new Estimator()
  for (const step of [1, 2, 3]) estimator.add(at(step), step * 60_000)
  const { low_seconds: low, high_seconds: high, seconds } = estimator.estimate(180_000)
  expect(low).toBeLessThan(seconds ?? 0)
  expect((high ?? 0) / (low ?? 1)).toBeLessThanOrEqual(3.001)
})
