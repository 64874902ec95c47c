import { type Stats, statSync } from 'node:fs'
import { lstat, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

export interface FileFacts {
  /** Below the handler directory, with "/". */
  readonly path: string
  readonly size: number
  readonly mtimeMs: number
  readonly inode: number
}

/** What lies in the handler directory; nothing of it was loaded or read. */
export interface DirectoryLook {
  /** Null: there is none. */
  readonly directoryMtimeMs: number | null
  /** Why nothing in it may be used. */
  readonly problem: string | null
  /** Names of its files that are handlers, in order. */
  readonly handlers: readonly string[]
  /** Why one of them may not be used. */
  readonly refused: ReadonlyMap<string, string>
  /** Every file below, in order: the code that a handler may import. */
  readonly files: readonly FileFacts[]
}

const mostFiles = 5_000
const deepest = 12

interface Walk {
  readonly userId: number | undefined
  readonly files: FileFacts[]
  readonly refused: Map<string, string>
  /** Of directories that were entered: links may lead in circles. */
  readonly entered: Set<string>
  problem: string | null
}

/**
 * Looks at every file below a directory, but for node_modules and names that start with a dot. Code is only taken from a
 * directory and from files that nobody else can write.
 * @param userId who may own them, beside root; undefined: owners are not looked at (Windows)
 */
export async function readHandlerDirectory(
  directory: string,
  userId: number | undefined = process.getuid?.(),
): Promise<DirectoryLook> {
  const empty = { handlers: [], refused: new Map<string, string>(), files: [] }
  let facts: Stats
  try {
    facts = await stat(directory)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    return { ...empty, directoryMtimeMs: null, problem: code === 'ENOENT' ? null : `${directory}: ${message}` }
  }
  if (!facts.isDirectory()) return { ...empty, directoryMtimeMs: null, problem: `${directory} is not a directory` }
  const walk: Walk = { userId, files: [], refused: new Map(), entered: new Set(), problem: null }
  walk.problem = foreignProblem(directory, facts, userId)
  await readFolder(directory, '', facts, walk, 0)
  walk.files.sort((left, right) => (left.path < right.path ? -1 : 1))
  return {
    directoryMtimeMs: facts.mtimeMs,
    problem: walk.problem,
    handlers: walk.files.map(({ path }) => path).filter(isHandlerName),
    refused: walk.refused,
    files: walk.files,
  }
}

/** @returns false when others may write to it, or it is not there */
export function isOwnDirectory(directory: string, userId: number | undefined): boolean {
  const facts = statSync(directory, { throwIfNoEntry: false })
  return facts?.isDirectory() === true && foreignProblem(directory, facts, userId) === null
}

/** Top-level .js, .mjs and .ts files; not tests, declarations and names that start with "." or "_". */
export function isHandlerName(path: string): boolean {
  return /^[^._/][^/]*\.(?:js|mjs|ts)$/.test(path) && !/\.(?:test|d)\.(?:js|mjs|ts)$/.test(path)
}

async function readFolder(folder: string, prefix: string, facts: Stats, walk: Walk, depth: number): Promise<void> {
  const identity = `${facts.dev}:${facts.ino}`
  if (walk.entered.has(identity) || depth > deepest) return
  walk.entered.add(identity)
  let names: string[]
  try {
    names = await readdir(folder)
  } catch (error) {
    walk.problem ??= `${folder} cannot be read: ${(error as Error).message}`
    return
  }
  for (const name of names) {
    if (name.startsWith('.') || name === 'node_modules') continue
    if (walk.files.length >= mostFiles) {
      walk.problem ??= `${folder} holds more than ${mostFiles} files; keep only code there`
      return
    }
    await readEntry(join(folder, name), prefix + name, facts, walk, depth)
  }
}

async function readEntry(path: string, name: string, folder: Stats, walk: Walk, depth: number): Promise<void> {
  let facts: Stats
  let link: Stats
  try {
    link = await lstat(path)
    facts = link.isSymbolicLink() ? await stat(path) : link
  } catch {
    // It is gone, or a link that leads nowhere.
    if (isHandlerName(name)) walk.refused.set(name, 'it cannot be read, or is a link that leads nowhere')
    return
  }
  const problem = entryProblem(path, link, facts, folder, walk.userId)
  if (facts.isDirectory()) {
    if (problem !== null) walk.problem ??= problem
    await readFolder(path, `${name}/`, facts, walk, depth + 1)
  } else if (facts.isFile()) {
    walk.files.push({ path: name, size: facts.size, mtimeMs: facts.mtimeMs, inode: facts.ino })
    if (problem === null) return
    if (isHandlerName(name)) walk.refused.set(name, problem)
    // Any handler may import it.
    else walk.problem ??= problem
  }
}

function entryProblem(
  path: string,
  link: Stats,
  facts: Stats,
  folder: Stats,
  userId: number | undefined,
): string | null {
  if (userId === undefined) return null
  if (link.isSymbolicLink() && !isOwn(link, userId))
    return `${path} is a link that belongs to user ${link.uid}, not to you`
  // What lies in a directory that others cannot enter is out of their reach, unless a link led there.
  const reachable = link.isSymbolicLink() ? 0o022 : (folder.mode & 0o011) << 1
  if (isOwn(facts, userId) && (facts.mode & 0o022 & reachable) === 0) return null
  return foreignProblem(path, facts, userId)
}

function foreignProblem(path: string, facts: Stats, userId: number | undefined): string | null {
  if (userId === undefined) return null
  if (!isOwn(facts, userId)) return `${path} belongs to user ${facts.uid}, not to you (${userId}), and so is not run`
  if ((facts.mode & 0o022) === 0) return null
  const mode = facts.isDirectory() ? '700' : '600'
  return `others may write to ${path}, and so it is not run; run: chmod ${mode} ${path}`
}

/** What root owns, root may change anyway. */
function isOwn(facts: Stats, userId: number): boolean {
  return facts.uid === userId || facts.uid === 0
}

/** What changes when a file may have changed. */
export function stampOf({ size, mtimeMs, inode }: FileFacts): string {
  return `${size}:${mtimeMs}:${inode}`
}

/** @returns whether two looks saw the same files in the same condition */
export function sameLook(one: DirectoryLook, other: DirectoryLook): boolean {
  if (one.directoryMtimeMs === null || other.directoryMtimeMs === null)
    return one.directoryMtimeMs === other.directoryMtimeMs && one.problem === other.problem
  const told = (look: DirectoryLook) => JSON.stringify([look.problem, [...look.refused]])
  return (
    one.files.length === other.files.length &&
    one.files.every((file, at) => {
      const before = other.files[at]
      return before !== undefined && before.path === file.path && stampOf(before) === stampOf(file)
    }) &&
    told(one) === told(other)
  )
}
