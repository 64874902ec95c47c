import { readdirSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join, relative, resolve } from 'node:path'

export interface SourceImport {
  /** Importing file, relative to src/, with forward slashes. */
  readonly from: string
  /** File relative to src/ for our own, `node:x` for built-ins, the package name for packages. */
  readonly to: string
  readonly kind: 'static' | 'dynamic'
  /** Erased by the compiler: counts as an arrow of the house, not as loading anything. */
  readonly typeOnly: boolean
}

const builtins = new Set(builtinModules)
const fromClause = /^[ \t]*(import|export)\s+(type\s+)?([^'"`;=]*?)\s*\bfrom\s*['"]([^'"]+)['"]/gm
const sideEffect = /^[ \t]*import\s*['"]([^'"]+)['"]/gm
const dynamic = /\b(?:import|require|require\.resolve)\s*\(\s*['"`]([^'"`]+)['"`]\s*[,)]/g
const typeQuery = /\btypeof\s+import\s*\(/g

// Only comments that begin a line: a glob in a string may hold the signs of a comment.
function withoutComments(source: string): string {
  return source.replace(/^[ \t]*\/\*[\s\S]*?\*\//gm, '').replace(/^[ \t]*\/\/.*$/gm, '')
}

function onlyTypes(keyword: string | undefined, names: string): boolean {
  if (keyword !== undefined) return true
  const listed = /^\{([^}]*)\}$/.exec(names.trim())?.[1]
  if (listed === undefined) return false
  const parts = listed.split(',').filter((part) => part.trim() !== '')
  return parts.length > 0 && parts.every((part) => part.trim().startsWith('type '))
}

/** The name of a package out of an import of it: `@scope/name/sub` is `@scope/name`. */
function packageName(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

function target(from: string, specifier: string): string {
  if (specifier.startsWith('node:')) return specifier
  if (builtins.has(specifier)) return `node:${specifier}`
  if (!specifier.startsWith('.')) return packageName(specifier)
  return relative('/', resolve('/', dirname(from), specifier))
    .split('\\')
    .join('/')
}

/** @param from path of the file relative to src/ */
export function parseImports(from: string, source: string): readonly SourceImport[] {
  const text = withoutComments(source)
  const found: SourceImport[] = []
  for (const [, , keyword, names = '', specifier = ''] of text.matchAll(fromClause)) {
    found.push({ from, to: target(from, specifier), kind: 'static', typeOnly: onlyTypes(keyword, names) })
  }
  for (const [, specifier = ''] of text.matchAll(sideEffect)) {
    found.push({ from, to: target(from, specifier), kind: 'static', typeOnly: false })
  }
  for (const [, specifier = ''] of text.replace(typeQuery, 'type(').matchAll(dynamic)) {
    found.push({ from, to: target(from, specifier), kind: 'dynamic', typeOnly: false })
  }
  return found
}

/** @returns every import of every TypeScript file below a folder */
export function readImports(src: string): readonly SourceImport[] {
  return readdirSync(src, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => name.split('\\').join('/'))
    .sort()
    .flatMap((name) => parseImports(name, readFileSync(join(src, name), 'utf8')))
}

/**
 * Follows what is loaded at run time: static and dynamic imports, types left out.
 * @returns the shortest chain of files from one that `starts` to something that `ends`, or null
 */
export function findPath(
  imports: readonly SourceImport[],
  starts: (file: string) => boolean,
  ends: (target: string) => boolean,
): readonly string[] | null {
  const next = new Map<string, string[]>()
  for (const one of imports) {
    if (!one.typeOnly) next.set(one.from, [...(next.get(one.from) ?? []), one.to])
  }
  const queue: (readonly string[])[] = [...next.keys()].filter(starts).map((file) => [file])
  const seen = new Set(queue.map((path) => path[0]))
  for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
    for (const to of next.get(path.at(-1) ?? '') ?? []) {
      if (ends(to)) return [...path, to]
      if (seen.has(to)) continue
      seen.add(to)
      queue.push([...path, to])
    }
  }
  return null
}
