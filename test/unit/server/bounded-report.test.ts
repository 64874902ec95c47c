import { expect, test } from 'vitest'
import { createBoundedReport } from '../../../src/server/bounded-report.ts'

test('what a client provokes is told in few words, and at last no more', () => {
  let written = ''
  let lines = 0
  const report = createBoundedReport((line) => {
    written += line
    lines += 1
  })
  report(new Error('x'.repeat(100_000)))
  expect(written).toBe(`nightkiln: ${'x'.repeat(500)}\n`)
  for (let count = 0; count < 100_000; count += 1) report('again')
  expect(Buffer.byteLength(written)).toBeLessThan(33 * 1024)
  expect(written).toMatch(/so much was reported that nothing more is\n$/)
  expect(lines).toBeGreaterThan(1_000)
})
