import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, test } from 'vitest'
import { sqliteItems } from '../../../src/sources/sqlite-items.ts'
import { folderWith } from './support.ts'

function database(): string {
  const file = join(folderWith(), 'x.db')
  const made = new Database(file)
  made.exec(`CREATE TABLE page (id INTEGER PRIMARY KEY, url TEXT, size REAL, body BLOB, big INTEGER);
             INSERT INTO page VALUES (1, 'http://a', 1.5, x'00ff', 9007199254740993), (2, NULL, NULL, NULL, 7)`)
  made.close()
  return file
}

const read = (file: string, query: string) => [...sqliteItems(file, query)]

describe('an SQLite file', () => {
  test('gives the rows of a SELECT, big integers as text', () => {
    expect(read(database(), 'SELECT id, url, size, big FROM page ORDER BY id')).toEqual([
      { id: 1, url: 'http://a', size: 1.5, big: '9007199254740993' },
      { id: 2, url: null, size: null, big: 7 },
    ])
    expect(read(database(), '-- why\n /* x */ WITH p AS (SELECT 1 AS one) SELECT * FROM p;')).toEqual([{ one: 1 }])
    expect(read(database(), 'SELECT 9e999 AS x')).toEqual([{ x: 'Infinity' }])
    expect(read(database(), 'SELECT id FROM page WHERE 0')).toEqual([])
  })

  test.each([
    ['INSERT INTO page (url) VALUES (1)', 'is not a SELECT'],
    ['INSERT INTO page (url) VALUES (1) RETURNING id', 'is not a SELECT'],
    ['DELETE FROM page RETURNING id', 'is not a SELECT'],
    ['WITH x AS (SELECT 1) DELETE FROM page RETURNING id', 'is not a SELECT'],
    ['PRAGMA user_version = 5', 'is not a SELECT'],
    ['PRAGMA table_info(page)', 'is not a SELECT'],
    ["ATTACH '/tmp/nightkiln-attached.db' AS other", 'is not a SELECT'],
    ['VACUUM', 'is not a SELECT'],
    ['SELECT 1; DROP TABLE page', 'exactly one SELECT'],
    ['SELECT * FROM pages', 'no such table: pages'],
    ['', 'exactly one SELECT'],
    ['SELECT 1 AS a, 2 AS a', 'two columns are named "a"'],
    ['SELECT body FROM page', 'column "body" of row 1 is a blob'],
    ["SELECT load_extension('x')", 'not authorized'],
    ["SELECT json('{') AS x", 'malformed JSON'],
  ])('refuses %s', (query, message) => {
    const file = database()
    const before = readFileSync(file)
    try {
      read(file, query)
      expect.unreachable()
    } catch (error) {
      const { code, message: said, remedy } = error as { code: string; message: string; remedy: string }
      expect(code).toBe('invalid_input')
      expect(`${said} ${remedy}`).toContain(message)
    }
    expect(readFileSync(file).equals(before)).toBe(true)
    expect(statSync('/tmp/nightkiln-attached.db', { throwIfNoEntry: false })).toBeUndefined()
  })

  test('that is something else is named', () => {
    const folder = folderWith({ 'x.db': 'no database'.repeat(100) })
    expect(() => read(join(folder, 'x.db'), 'SELECT 1')).toThrow('cannot be opened as an SQLite database')
    expect(() => read(join(folder, 'y.db'), 'SELECT 1')).toThrow('y.db does not exist')
    expect(statSync(join(folder, 'y.db'), { throwIfNoEntry: false })).toBeUndefined()
  })
})
