import Database from 'better-sqlite3'
import { cutText } from '../domain/cut-text.ts'
import type { Json } from '../domain/job.ts'
import { assertPlainFile } from './read-text.ts'
import { assertColumns, sourceError } from './source-item.ts'

/** Another program may be writing; the enumerator has time. */
const busyTimeoutMs = 5_000

/**
 * One unit a row of a SELECT: an object by column. The file is opened read-only, and only a statement that reads is run.
 * Integers beyond 2^53 become text; blobs are refused.
 * @throws QueueError invalid_input
 */
export function* sqliteItems(file: string, query: string): Generator<Json, void, undefined> {
  assertPlainFile(file)
  const database = open(file)
  try {
    const statement = prepare(database, file, query)
    const columns = statement.columns().map((column) => column.name)
    assertColumns(columns, 'the query', 'Name the columns with AS.')
    yield* rows(statement, columns, file)
  } finally {
    database.close()
  }
}

function open(file: string): Database.Database {
  try {
    const database = new Database(file, { readonly: true, fileMustExist: true, timeout: busyTimeoutMs })
    // Reads a page, so that a file of another kind is found out here.
    database.prepare('SELECT count(*) FROM sqlite_schema').get()
    return database
  } catch (error) {
    throw sourceError(
      `${file} cannot be opened as an SQLite database: ${(error as Error).message}`,
      'Give the path of an SQLite file that you can read.',
      error,
    )
  }
}

function prepare(database: Database.Database, file: string, query: string): Database.Statement<[], unknown[]> {
  let statement: Database.Statement<[], unknown[]>
  try {
    statement = database.prepare<[], unknown[]>(query)
  } catch (error) {
    throw sourceError(
      `the query does not work on ${file}: ${cutText((error as Error).message, 500)}`,
      'Give exactly one SELECT.',
      error,
    )
  }
  if (!statement.reader || !statement.readonly || !isSelect(query)) {
    throw sourceError(
      'the query is not a SELECT: it would change something, or gives no rows',
      'Give exactly one SELECT (WITH … SELECT and VALUES work too); the file is only read.',
    )
  }
  return statement.raw(true).safeIntegers(true)
}

/** PRAGMA and EXPLAIN give rows as well, and some pragmas act. */
function isSelect(query: string): boolean {
  const withoutComments = query.replace(/^(\s+|--[^\n]*(\n|$)|\/\*[\s\S]*?\*\/|\()+/, '')
  return /^(select|with|values)\b/i.test(withoutComments)
}

function* rows(
  statement: Database.Statement<[], unknown[]>,
  columns: readonly string[],
  file: string,
): Generator<Json, void, undefined> {
  let row = 0
  try {
    for (const values of statement.iterate()) {
      row += 1
      yield Object.fromEntries(columns.map((name, index) => [name, jsonValue(values[index], name, row)]))
    }
  } catch (error) {
    if (!(error instanceof Database.SqliteError)) throw error
    throw sourceError(
      `the query failed on ${file} after ${row} rows: ${error.message}`,
      'Correct the query, or check the file with PRAGMA integrity_check.',
      error,
    )
  }
}

function jsonValue(value: unknown, column: string, row: number): Json {
  if (typeof value === 'bigint') {
    const number = Number(value)
    return Number.isSafeInteger(number) ? number : value.toString()
  }
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value)
  if (value === null || typeof value === 'string' || typeof value === 'number') return value
  throw sourceError(
    `column "${column}" of row ${row} is a blob, which cannot be written as JSON`,
    `Leave it out, or select hex("${column}").`,
  )
}
