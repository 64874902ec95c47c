import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const folder = fileURLToPath(new URL('../../src/persistence/statements/', import.meta.url))

// SQLite plans by the value of a bound limit and so compiles the statement anew at every call: 10 to 300 µs instead of one.
test('no statement is compiled again for its limit: it is an expression', () => {
  const compiledAgain = readdirSync(folder).filter((file) =>
    /\bLIMIT @/i.test(readFileSync(`${folder}${file}`, 'utf8')),
  )
  expect(compiledAgain).toEqual([])
})
