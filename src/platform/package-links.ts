import {
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What a handler may import without installing it; tsx is for its tests. */
export const linkedPackages = ['nightkiln', 'zod', 'tsx'] as const

export interface PackageLink {
  readonly name: string
  /** `own`: the person has a real directory there. `missing`, `elsewhere`: only when nothing was to be changed. */
  readonly state: 'linked' | 'own' | 'missing' | 'elsewhere' | 'failed'
  /** Of the package that is there. */
  readonly version: string | null
  /** Why it could not be made. */
  readonly problem: string | null
}

const { resolve: locate } = createRequire(import.meta.url)

/** @returns the directory of a package of this installation */
function packageDirectory(name: string): string {
  // In src/ and dist/ alike, two folders above this file.
  if (name === 'nightkiln') return realpathSync(fileURLToPath(new URL('../..', import.meta.url)))
  return dirname(locate(`${name}/package.json`))
}

/**
 * Lets modules in a directory import packages of this installation: links in its node_modules. Links that point elsewhere are
 * turned, since the installation may have moved; real directories are left alone.
 * @param change false: only looks
 */
export function packageLinks(directory: string, change: boolean): readonly PackageLink[] {
  return linkedPackages.map((name) => {
    const link = join(directory, 'node_modules', name)
    try {
      return { name, ...linkState(link, packageDirectory(name), change), problem: null }
    } catch (error) {
      return { name, state: 'failed', version: null, problem: (error as Error).message }
    }
  })
}

function linkState(link: string, target: string, change: boolean): Pick<PackageLink, 'state' | 'version'> {
  const facts = lstatSync(link, { throwIfNoEntry: false })
  if (facts !== undefined && !facts.isSymbolicLink()) return { state: 'own', version: versionOf(link) }
  if (facts !== undefined && leadsTo(link, target)) return { state: 'linked', version: versionOf(target) }
  if (!change)
    return facts === undefined ? { state: 'missing', version: null } : { state: 'elsewhere', version: versionOf(link) }
  mkdirSync(dirname(link), { recursive: true, mode: 0o755 })
  placeLink(link, target)
  return { state: 'linked', version: versionOf(target) }
}

function leadsTo(link: string, target: string): boolean {
  return resolve(dirname(link), readlinkSync(link)) === resolve(target)
}

/** Whoever imports at this moment finds the old link or the new one. */
function placeLink(link: string, target: string): void {
  const temporary = `${link}.${process.pid}.tmp`
  rmSync(temporary, { force: true })
  // A junction needs no right that people on Windows do not have.
  symlinkSync(target, temporary, 'junction')
  if (process.platform === 'win32') rmSync(link, { force: true })
  renameSync(temporary, link)
}

function versionOf(directory: string): string | null {
  try {
    const { version } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as { version?: unknown }
    return typeof version === 'string' ? version : null
  } catch {
    return null
  }
}
