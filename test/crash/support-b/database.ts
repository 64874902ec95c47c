import Database from 'better-sqlite3'
import { statePaths } from '../../../src/config/paths.ts'

/** Reads the database of a state directory from outside, without the product's code. */
export function readRows<Row>(home: string, sql: string, ...binds: readonly (string | number)[]): readonly Row[] {
  const database = new Database(statePaths(home).database, { readonly: true, fileMustExist: true, timeout: 5_000 })
  try {
    return database.prepare(sql).all(...binds) as Row[]
  } finally {
    database.close()
  }
}

/** @returns what SQLite's own check says: `ok`, or what is wrong */
export function integrityOf(home: string): string {
  const database = new Database(statePaths(home).database, { fileMustExist: true, timeout: 5_000 })
  try {
    return String(database.pragma('integrity_check', { simple: true }))
  } finally {
    database.close()
  }
}

export interface StoredFacts {
  readonly epoch: number
  readonly events: number
  readonly jobs: number
}

export function storedFacts(home: string): StoredFacts {
  const [row] = readRows<StoredFacts>(
    home,
    `SELECT (SELECT epoch FROM leader) AS epoch, (SELECT count(*) FROM event) AS events, (SELECT count(*) FROM job) AS jobs`,
  )
  if (row === undefined) throw new Error('the database has no leader row')
  return row
}
