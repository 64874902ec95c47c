import { readFileSync } from 'node:fs'
import { type EnumerationAnswer, enumerationOrder, spoolLimits } from '../domain/enumeration.ts'
import { toErrorRecord } from '../domain/errors.ts'
import { writeJsonLines } from '../platform/json-lines-file.ts'
import { emptySource, enumerate } from './enumerate.ts'
import { sqliteItems } from './sqlite-items.ts'

/**
 * The enumerator: a process of its own, because files of any size and queries of any length are read here, and the native SQLite
 * driver opens files of other people. Reads an order on stdin, writes the units to a file, prints one line of JSON.
 */
async function main(): Promise<EnumerationAnswer> {
  const order = enumerationOrder.parse(JSON.parse(readFileSync(0, 'utf8')))
  // The manager ends it at the limit; this is for one whose manager died.
  setTimeout(() => process.exit(1), order.limit_ms).unref()
  const { total, first } = await writeJsonLines(
    (async function* () {
      let count = 0
      for await (const item of enumerate(order.source, order.cwd, sqliteItems)) {
        count += 1
        yield item
      }
      if (count === 0) throw emptySource(order.source, order.cwd)
    })(),
    order.file,
    spoolLimits,
  )
  return { ok: true, total, first: first ?? null }
}

let answer: EnumerationAnswer
try {
  answer = await main()
} catch (error) {
  const { code, message, remedy } = toErrorRecord(error)
  answer = { ok: false, code, message, remedy }
}
process.stdout.write(`${JSON.stringify(answer)}\n`)
