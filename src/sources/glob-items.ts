import { type Dirent, readdirSync, statSync } from 'node:fs'
import { extname, isAbsolute, join } from 'node:path'
import picomatch from 'picomatch'
import type { Json } from '../domain/job.ts'
import { fileError, sourceError } from './source-item.ts'

export interface GlobOptions {
  readonly pattern: string
  readonly root: string
  /** What matches is left out; a directory that matches, with everything below. */
  readonly exclude: readonly string[]
}

/** Deeper is a loop of mounts or a mistake. */
const deepestFolder = 200
/** Matching takes time to the power of these; names come from other people. */
const mostWildcards = 4
const mostGlobstars = 3
/** Extended patterns such as +(a|aa) may take exponential time. */
const matching = { noextglob: true }

/**
 * One unit a file below `root` that matches: {path, name, stem, extension (without dot), bytes}. Sorted by name within each
 * directory. Links to files count as files; links to directories are not followed. Names that begin with a dot match only a
 * dot.
 * @throws QueueError invalid_input for a bad pattern or a directory that cannot be read
 */
export function* globItems({ root, ...given }: GlobOptions): FileUnits {
  const pattern = withoutDot(given.pattern)
  const exclude = given.exclude.map(withoutDot)
  assertRoot(root)
  for (const one of [pattern, ...exclude]) assertPattern(one)
  const { base, glob } = picomatch.scan(pattern)
  const walk: Walk = {
    root,
    isMatch: picomatch(pattern, matching),
    isExcluded: exclude.length === 0 ? () => false : picomatch(exclude, { ...matching, dot: true }),
    entersHidden: /(^|[/{,(|[])\\?\./.test(pattern.slice(base.length)),
    deepest: deepestLevel(pattern),
  }
  // A pattern without wildcards is its own base; one with escapes is none.
  const start = base.includes('\\') ? '' : glob === '' ? parentOf(base) : base
  if (start !== '' && statSync(join(root, start), { throwIfNoEntry: false })?.isDirectory() !== true) return
  yield* folder(walk, start)
}

type FileUnits = Generator<Json, void, undefined>

interface Walk {
  readonly root: string
  readonly isMatch: (path: string) => boolean
  readonly isExcluded: (path: string) => boolean
  readonly entersHidden: boolean
  /** Folders below root that a match may lie in. */
  readonly deepest: number
}

/** @param relative the folder below root, with slashes; empty: root itself */
function* folder(walk: Walk, relative: string): FileUnits {
  if (relative !== '' && ancestors(relative).some(walk.isExcluded)) return
  const depth = relative === '' ? 0 : relative.split('/').length
  for (const entry of entriesOf(walk.root, relative)) {
    const path = relative === '' ? entry.name : `${relative}/${entry.name}`
    if (entry.isDirectory()) {
      const enters = depth < walk.deepest && (walk.entersHidden || !entry.name.startsWith('.'))
      if (enters && !walk.isExcluded(path)) yield* folder(walk, path)
    } else if (walk.isMatch(path) && !walk.isExcluded(path)) {
      const unit = fileUnit(walk.root, path, entry.name)
      if (unit !== null) yield unit
    }
  }
}

function ancestors(relative: string): string[] {
  const parts = relative.split('/')
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'))
}

function entriesOf(root: string, relative: string): Dirent[] {
  try {
    const entries = readdirSync(join(root, relative), { withFileTypes: true })
    return entries.sort((left, right) => (left.name < right.name ? -1 : left.name > right.name ? 1 : 0))
  } catch (error) {
    // Removed while it was walked.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' && relative !== '') return []
    const { message, remedy } = fileError('the directory', join(root, relative), error)
    throw sourceError(message, relative === '' ? remedy : `Leave it out: "exclude": ["${relative}/**"].`, error)
  }
}

/** @returns null when it is not a file, or gone */
function fileUnit(root: string, relative: string, name: string): Json | null {
  const path = join(root, relative)
  const stats = statSync(path, { throwIfNoEntry: false })
  if (stats === undefined && name.includes('\uFFFD'))
    throw sourceError(`the name of ${path} is not UTF-8`, 'Rename it, or leave it out with exclude.')
  if (stats?.isFile() !== true) return null
  const extension = extname(name)
  return {
    path,
    name,
    stem: extension === '' ? name : name.slice(0, -extension.length),
    extension: extension.slice(1),
    bytes: stats.size,
  }
}

function assertRoot(root: string): void {
  if (!isAbsolute(root))
    throw sourceError(`root ${root} is not an absolute path`, 'Give the absolute path of a directory.')
  try {
    if (statSync(root).isDirectory()) return
  } catch (error) {
    throw fileError('the directory', root, error)
  }
  throw sourceError(`root ${root} is not a directory`, 'Give the absolute path of a directory.')
}

function assertPattern(pattern: string): void {
  const refuse = (why: string, remedy: string) => sourceError(`the pattern "${pattern}" ${why}`, remedy)
  if (pattern.includes('\0')) throw refuse('holds a NUL character', 'Remove it.')
  if (isAbsolute(pattern)) throw refuse('is an absolute path', 'Give root: the directory, and a pattern below it.')
  if (pattern.split('/').some((part) => part === '..' || part === '.'))
    throw refuse('leaves its directory with "." or ".."', 'Give root: the directory, and a pattern below it.')
  const wildcards = Math.max(...pattern.split('/').map((part) => part.split('*').length - 1))
  if (wildcards > mostWildcards || pattern.split('**').length - 1 > mostGlobstars)
    throw refuse('has more wildcards than can be matched in time', 'Use fewer "*" in a row of letters, and fewer "**".')
  if (pattern.startsWith('!')) throw refuse('begins with "!"', 'Say with exclude what is to be left out.')
}

function withoutDot(pattern: string): string {
  return pattern.replace(/^(\.\/)+/, '')
}

function deepestLevel(pattern: string): number {
  const isFixed = !/\*\*|[{(]/.test(pattern)
  return isFixed ? pattern.split('/').length - 1 : deepestFolder
}

function parentOf(path: string): string {
  return path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : ''
}
