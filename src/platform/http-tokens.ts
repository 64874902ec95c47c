import { randomBytes } from 'node:crypto'
import { closeSync, constants, fstatSync, linkSync, openSync, readSync, rmSync, type Stats } from 'node:fs'
import { dirname } from 'node:path'
import { z } from 'zod'
import { QueueError } from '../domain/errors.ts'
import { writeFileAtomic } from './atomic-file.ts'
import { makeDirectory } from './make-directory.ts'
import { assertOurs } from './own-directory.ts'

/** The token that is made when there is none yet. */
export const defaultTokenName = 'default'

const largestFileBytes = 256 * 1024
const mostTokens = 100
const namePattern = /^[a-z0-9][a-z0-9_-]{0,39}$/

const tokenSchema = z.strictObject({
  name: z.string().regex(namePattern),
  token: z.string().regex(/^[\x21-\x7e]{32,200}$/),
  /** ISO 8601. */
  created_at: z.string(),
})
const fileSchema = z.strictObject({ tokens: z.array(tokenSchema).max(mostTokens) })

/** A secret that a client shows over HTTP, and the name under which it does so. */
export type HttpToken = Readonly<z.output<typeof tokenSchema>>

/** @throws QueueError invalid_input */
export function assertTokenName(name: string): void {
  if (namePattern.test(name)) return
  throw new QueueError('invalid_input', `"${name}" cannot be the name of a token`, {
    remedy: 'Use up to 40 of a-z, 0-9, "-" and "_", such as laptop.',
  })
}

/** @returns a token of 256 random bits; its beginning lets people and scanners see what it is. */
export function newHttpToken(name: string, now: number): HttpToken {
  return { name, token: `nk_${randomBytes(32).toString('base64url')}`, created_at: new Date(now).toISOString() }
}

/**
 * Reads the tokens, which only this user may be able to read.
 * @returns none when there is no file
 * @throws QueueError config_invalid; it names the file, never what is in it
 */
export function readHttpTokens(file: string): readonly HttpToken[] {
  const text = readPrivately(file)
  if (text === null) return []
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    json = undefined
  }
  const parsed = fileSchema.safeParse(json)
  if (!parsed.success) {
    throw unusable(file, 'it does not hold tokens as nightkiln writes them', 'Remove it and run: nightkiln token')
  }
  const names = new Set(parsed.data.tokens.map(({ name }) => name))
  if (names.size < parsed.data.tokens.length) {
    throw unusable(file, 'a name is there twice', 'Remove one of the two, or the file, and run: nightkiln token')
  }
  return parsed.data.tokens
}

/** Replaces the tokens. A reader sees the old or the new ones; the file is made 0600 in a directory of this user. */
export function writeHttpTokens(file: string, tokens: readonly HttpToken[]): void {
  if (tokens.length > mostTokens) {
    throw new QueueError('limit_exceeded', `there are ${mostTokens} tokens already`, {
      remedy: 'Remove one: nightkiln token remove NAME',
    })
  }
  prepareDirectory(file)
  writeFileAtomic(file, textOf(tokens))
}

/**
 * Makes the first token when there is none. Of several that try at once one makes it, and all get that one.
 * @returns the tokens that there are now
 */
export function ensureHttpTokens(file: string, now: number): readonly HttpToken[] {
  const known = readHttpTokens(file)
  if (known.length > 0) return known
  const first = [newHttpToken(defaultTokenName, now)]
  const aside = `${file}.${process.pid}.first`
  prepareDirectory(file)
  try {
    writeFileAtomic(aside, textOf(first))
    linkSync(aside, file)
    return first
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    const others = readHttpTokens(file)
    if (others.length > 0) return others
    // A file without tokens: the last one was removed.
    writeHttpTokens(file, first)
    return first
  } finally {
    rmSync(aside, { force: true })
  }
}

function textOf(tokens: readonly HttpToken[]): string {
  return `${JSON.stringify({ tokens }, null, 2)}\n`
}

function prepareDirectory(file: string): void {
  const directory = dirname(file)
  makeDirectory(directory)
  assertOurs(directory)
}

/** Whoever made the file may have left anything in its place: a FIFO would block, a link would lead elsewhere. */
function readPrivately(file: string): string | null {
  let descriptor: number
  try {
    descriptor = openSync(file, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0))
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return null
    throw unusable(file, code === 'ELOOP' ? 'it is a link' : message, 'Remove it and run: nightkiln token')
  }
  try {
    const facts = fstatSync(descriptor)
    if (!facts.isFile()) throw unusable(file, 'it is not a file', 'Remove it and run: nightkiln token')
    assertPrivate(file, facts)
    if (facts.size > largestFileBytes) {
      throw unusable(file, `it is larger than ${largestFileBytes} bytes`, 'Remove it and run: nightkiln token')
    }
    const bytes = Buffer.alloc(facts.size)
    return bytes.toString('utf8', 0, readSync(descriptor, bytes, 0, bytes.length, 0))
  } finally {
    closeSync(descriptor)
  }
}

function assertPrivate(file: string, facts: Stats): void {
  const uid = process.getuid?.()
  // Windows has no such bits; the folders of a user are closed to others there.
  if (uid === undefined) return
  if (facts.uid !== uid) {
    throw unusable(file, `it belongs to user ${facts.uid}, not to ${uid}`, `Run: chown ${uid} ${file}`)
  }
  if ((facts.mode & 0o077) !== 0) {
    const mode = (facts.mode & 0o777).toString(8).padStart(4, '0')
    throw unusable(
      file,
      `others can read it (mode ${mode})`,
      `Run: chmod 600 ${file}, then nightkiln token rotate NAME for each token that others may have seen.`,
    )
  }
}

function unusable(file: string, why: string, remedy: string): QueueError {
  return new QueueError('config_invalid', `the token file ${file} cannot be used: ${why}`, { remedy })
}
