import { expect, test } from 'vitest'
import { boundedJson } from '../../../src/manager/services/bounded-json.ts'

test('a value that fits comes back as it is', () => {
  expect(boundedJson({ a: [1, 'é'] }, 100)).toEqual({ value: { a: [1, 'é'] }, bytes: 14, truncated: false })
})

test('a larger one comes back as the beginning of its text, cut between characters', () => {
  const cut = boundedJson('ééé', 4)
  expect(cut).toEqual({ value: '"é', bytes: 8, truncated: true })
})
