import { basename, join } from 'node:path'
import type { AvailableHandler, BrokenHandler } from '../../domain/handler-info.ts'
import type { FileDescription } from './description.ts'
import type { DirectoryLook } from './read-directory.ts'

/** Everything that is known of handlers at one moment. */
export interface CatalogueState {
  readonly available: ReadonlyMap<string, AvailableHandler>
  readonly broken: readonly BrokenHandler[]
}

export interface StateSources {
  readonly directory: string
  readonly look: DirectoryLook
  readonly revision: string
  /** By file name. */
  readonly described: ReadonlyMap<string, FileDescription>
  readonly builtIns: readonly AvailableHandler[]
  /** Types that are no handlers, such as "command". */
  readonly reserved: readonly string[]
  /** The type that a file had when it could be used last, by file name. */
  readonly types: ReadonlyMap<string, string>
}

/** Decides which files can be used: a type that several files claim belongs to none of them, a built-in one never to a file. */
export function catalogueState(sources: StateSources): CatalogueState {
  const { directory, look, described, builtIns, reserved, types } = sources
  const available = new Map(builtIns.map((handler) => [handler.info.type, handler]))
  const taken = new Set([...reserved, ...available.keys()])
  const broken: BrokenHandler[] = []
  const claims = claimsOf(look.handlers, described)
  for (const name of look.handlers) {
    const file = join(directory, name)
    const description = described.get(name)
    const problem = look.problem ?? look.refused.get(name) ?? problemOf(name, description, claims, taken)
    if (problem === null && description?.ok === true) {
      const { info } = description
      available.set(info.type, { info, file, revision: sources.revision, isBuiltIn: false })
    } else broken.push({ file, type: typeOf(name, description, types), problem: problem ?? 'it was not looked at yet' })
  }
  for (const [name, problem] of look.refused) {
    if (!look.handlers.includes(name))
      broken.push({ file: join(directory, name), type: typeOf(name, undefined, types), problem })
  }
  return { available, broken }
}

function claimsOf(
  names: readonly string[],
  described: ReadonlyMap<string, FileDescription>,
): ReadonlyMap<string, readonly string[]> {
  const claims = new Map<string, string[]>()
  for (const name of names) {
    const description = described.get(name)
    if (description?.ok !== true) continue
    const { type } = description.info
    claims.set(type, [...(claims.get(type) ?? []), name])
  }
  return claims
}

function problemOf(
  name: string,
  description: FileDescription | undefined,
  claims: ReadonlyMap<string, readonly string[]>,
  taken: ReadonlySet<string>,
): string | null {
  if (description === undefined) return 'it was not looked at yet'
  if (!description.ok) return description.problem
  const { type } = description.info
  if (taken.has(type)) return `the type "${type}" is built in; give the handler in ${name} another one`
  const claimants = claims.get(type) ?? []
  if (claimants.length < 2) return null
  return `the type "${type}" is claimed by ${claimants.join(' and ')}, so neither is used; rename or remove one`
}

function typeOf(name: string, description: FileDescription | undefined, types: ReadonlyMap<string, string>): string {
  if (description?.ok === true) return description.info.type
  return types.get(name) ?? basename(name).replace(/\.(?:js|mjs|ts)$/, '')
}

/** @returns whether anybody who knew the one would act otherwise on the other */
export function differs(one: CatalogueState, other: CatalogueState): boolean {
  if (one.available.size !== other.available.size || one.broken.length !== other.broken.length) return true
  for (const [type, handler] of one.available) {
    const now = other.available.get(type)
    if (now?.file !== handler.file || now.revision !== handler.revision) return true
  }
  return one.broken.some(
    ({ file, problem }, at) => other.broken[at]?.file !== file || other.broken[at].problem !== problem,
  )
}

/** @returns file names and types of those that can be used */
export function typesOf(described: ReadonlyMap<string, FileDescription>): readonly (readonly [string, string])[] {
  return [...described].flatMap(([name, each]) => (each.ok ? [[name, each.info.type] as const] : []))
}
