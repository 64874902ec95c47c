import { type Dirent, lstatSync, readdirSync, type Stats, statSync } from 'node:fs'
import { join } from 'node:path'

export interface WalkOptions {
  readonly root: string
  readonly follow: boolean
  /** Paths are relative to root, with slashes. */
  readonly isIncluded: (path: string) => boolean
  /** Also asked for directories: then nothing below them comes. */
  readonly isExcluded: (path: string) => boolean
  /** Only what comes behind this path; null: everything. */
  readonly after: string | null
}

export type Found =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'unreadable'; readonly path: string; readonly problem: string }
  | { readonly kind: 'link' | 'other'; readonly path: string }
  /** A directory was listed: a good moment to look around. */
  | { readonly kind: 'directory'; readonly path: string }

/** Deeper is a loop of mounts or links, or a mistake. */
const deepestFolder = 500

interface Folder {
  /** Empty: root itself. */
  readonly path: string
  readonly entries: readonly Dirent[]
  next: number
  /** Device and number, to notice links that lead back; only when links are followed. */
  readonly identity: string | null
  /** The rest of `after` that lies in this folder. */
  readonly after: readonly string[]
}

/**
 * Everything below a directory, in an order that depends on names alone: sorted within each directory, a directory's content in its
 * place. A walk that begins behind a path gives what a whole walk gives behind it.
 * @throws the error of the system when root itself cannot be listed
 */
export function* walk(options: WalkOptions): Generator<Found, void, undefined> {
  const after = options.after === null || options.after === '' ? [] : options.after.split('/')
  const folders: Folder[] = [openFolder(options, '', after)]
  for (let folder = folders.at(-1); folder !== undefined; folder = folders.at(-1)) {
    const entry = folder.entries[folder.next]
    folder.next += 1
    if (entry === undefined) {
      folders.pop()
      continue
    }
    const path = folder.path === '' ? entry.name : `${folder.path}/${entry.name}`
    const [first, ...rest] = folder.after
    const isOnTheWay = entry.name === first
    if (isOnTheWay && rest.length === 0) continue
    const found = inspect(options, folders, path, entry)
    if (found === null) continue
    if (found.kind !== 'directory') {
      if (!isOnTheWay) yield found
      continue
    }
    try {
      folders.push(openFolder(options, path, isOnTheWay ? rest : []))
    } catch (error) {
      yield { kind: 'unreadable', path, problem: problemOf(error) }
      continue
    }
    yield found
  }
}

function openFolder({ root, follow }: WalkOptions, path: string, after: readonly string[]): Folder {
  const place = join(root, path)
  const entries = readdirSync(place, { withFileTypes: true })
  entries.sort((left, right) => (left.name < right.name ? -1 : left.name > right.name ? 1 : 0))
  const first = after[0]
  const begin = first === undefined ? 0 : entries.findIndex(({ name }) => name >= first)
  const identity = follow ? identityOf(statSync(place)) : null
  return { path, entries, next: begin === -1 ? entries.length : begin, identity, after }
}

/** @returns null for what was not asked for */
function inspect(options: WalkOptions, folders: readonly Folder[], path: string, entry: Dirent): Found | null {
  if (options.isExcluded(path)) return null
  let kind = kindOf(entry)
  if (kind === 'link' && options.follow) {
    try {
      const stats = statSync(join(options.root, path))
      kind = kindOf(stats)
      if (kind === 'directory' && folders.some(({ identity }) => identity === identityOf(stats)))
        return { kind: 'unreadable', path, problem: 'this link leads back to a directory above it' }
    } catch (error) {
      return options.isIncluded(path) ? { kind: 'unreadable', path, problem: problemOf(error) } : null
    }
  }
  if (kind === 'directory') {
    if (folders.length < deepestFolder) return { kind, path }
    return { kind: 'unreadable', path, problem: `it lies more than ${deepestFolder} directories deep` }
  }
  return options.isIncluded(path) ? { kind, path } : null
}

function kindOf(one: Dirent | Stats): 'file' | 'directory' | 'link' | 'other' {
  if (one.isFile()) return 'file'
  if (one.isDirectory()) return 'directory'
  return one.isSymbolicLink() ? 'link' : 'other'
}

function identityOf({ dev, ino }: Stats): string {
  return `${dev}:${ino}`
}

/** @returns why something could not be read, in a few words */
export function problemOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'ENOENT') return 'it is gone, or its name is not UTF-8'
  if (code === 'EACCES' || code === 'EPERM') return 'no permission'
  return message
}

/** @returns bytes of a file; null when that cannot be told */
export function sizeOf(path: string, follow: boolean): number | null {
  const stats = (follow ? statSync : lstatSync)(path, { throwIfNoEntry: false })
  return stats?.isFile() === true ? stats.size : null
}
