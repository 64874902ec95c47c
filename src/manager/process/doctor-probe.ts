import { existsSync } from 'node:fs'
import Database from 'better-sqlite3'

/**
 * The part of `nightkiln doctor` that needs the native module, run as a child process: it reads only, and prints one
 * line of JSON. Usage: `native`, `lock FILE`, `database FILE`.
 */

type Answer =
  | { ok: true; sqlite_version?: string; held?: boolean | null; schema_version?: number; jobs?: number }
  | { ok: false; message: string }

function probeNative(): Answer {
  const database = new Database(':memory:')
  const row = database.prepare('SELECT sqlite_version() AS version').get() as { version: string }
  database.close()
  return { ok: true, sqlite_version: row.version }
}

/** A held exclusive lock refuses readers at once; a free one is read and left within microseconds. */
function probeLock(file: string): Answer {
  if (!existsSync(file)) return { ok: true, held: null }
  const database = new Database(file, { readonly: true, fileMustExist: true, timeout: 0 })
  try {
    database.prepare('SELECT count(*) FROM sqlite_schema').get()
    return { ok: true, held: false }
  } catch (error) {
    if (String((error as { code?: unknown }).code).startsWith('SQLITE_BUSY')) return { ok: true, held: true }
    throw error
  } finally {
    database.close()
  }
}

function probeDatabase(file: string): Answer {
  const database = new Database(file, { readonly: true, fileMustExist: true, timeout: 2_000 })
  try {
    const rows = database.prepare('PRAGMA quick_check(5)').all() as { quick_check: string }[]
    const findings = rows.map((row) => row.quick_check).filter((text) => text !== 'ok')
    if (findings.length > 0) return { ok: false, message: findings.join('; ') }
    const broken = database.prepare('PRAGMA foreign_key_check').all()
    if (broken.length > 0) return { ok: false, message: `${broken.length} rows refer to rows that are missing` }
    const { jobs } = database.prepare('SELECT count(*) AS jobs FROM job').get() as { jobs: number }
    return { ok: true, jobs }
  } finally {
    database.close()
  }
}

function answer(kind: string | undefined, file: string | undefined): Answer {
  if (kind === 'native') return probeNative()
  if (kind === 'lock' && file !== undefined) return probeLock(file)
  if (kind === 'database' && file !== undefined) return probeDatabase(file)
  return { ok: false, message: 'usage: doctor-probe native | lock FILE | database FILE' }
}

let line: Answer
try {
  line = answer(process.argv[2], process.argv[3])
} catch (error) {
  line = { ok: false, message: ((error as Error).message.split('\n')[0] ?? 'unknown').slice(0, 500) }
}
process.stdout.write(`${JSON.stringify(line)}\n`)
