import { readFileSync } from 'node:fs'
import type { Database, Statement } from 'better-sqlite3'

/** A value that better-sqlite3 binds; `undefined` and booleans are refused by it. */
export type Bindable = string | number | null | Buffer
export type Binds = Readonly<Record<string, Bindable>>

/** Prepares `statements/<name>.sql` on one connection. */
export type Prepare = <Row = unknown>(name: string) => Statement<[Binds], Row>

const texts = new Map<string, string>()

function readStatement(name: string): string {
  const known = texts.get(name)
  if (known !== undefined) return known
  const text = readFileSync(new URL(`./statements/${name}.sql`, import.meta.url), 'utf8')
  texts.set(name, text)
  return text
}

/** @returns a function that prepares statements by file name; each caller keeps what it prepared. */
export function statementsOf(database: Database): Prepare {
  return <Row>(name: string) => database.prepare<[Binds], Row>(readStatement(name))
}
