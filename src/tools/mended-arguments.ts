import type { z } from 'zod'
import { misplacedParams } from '../domain/wire/command-hints.ts'
import { inWantedForm } from '../domain/wire/invalid-input.ts'
import { knownInstant, knownName, knownValue } from '../domain/wire/known-names.ts'
import { schemaKeys, valueAt } from '../domain/wire/schema-keys.ts'
import { shapeHint } from '../domain/wire/shape-hints.ts'

type Issue = z.core.$ZodIssue
type Arguments = Record<string, unknown>

const mostRounds = 6
/** A longer call would push the sentences about it out of sight. */
const longestCall = 1_500

/**
 * Corrects what was plainly meant, for the error to show; it is never carried out without a second call.
 * @param dropsUnknown leave out what nobody knows: only for tools that change nothing, since a wish may be lost with it
 * @returns the arguments as JSON, when with some corrections they are valid; null else
 */
export function mendedArguments(schema: z.ZodType, given: unknown, dropsUnknown: boolean): string | null {
  let args: unknown = given
  for (let round = 0; round < mostRounds; round += 1) {
    const parsed = schema.safeParse(args)
    if (parsed.success) {
      const text = JSON.stringify(args)
      return text.length <= longestCall ? text : null
    }
    const copy: unknown = structuredClone(args)
    const changed = parsed.error.issues.flatMap(meant).filter((issue) => mend(schema, copy, issue, dropsUnknown))
    if (changed.length === 0) return null
    args = copy
  }
  return null
}

/** What is wrong in the one of several shapes that is nearest. */
function meant(issue: Issue): readonly Issue[] {
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [issue]
  const branch = issue.errors.find(
    (inner) => !inner.some((one) => one.code === 'invalid_type' && one.path.length === 0),
  )
  return (branch ?? []).flatMap((inner) => meant({ ...inner, path: [...issue.path, ...inner.path] } as Issue))
}

/** @returns true when something was changed */
function mend(schema: z.ZodType, args: unknown, issue: Issue, dropsUnknown: boolean): boolean {
  if (issue.code === 'unrecognized_keys') return mendKeys(schema, args, issue, dropsUnknown)
  if (issue.path.at(-1) === 'kind' && nameKind(args, issue.path.slice(0, -1))) return true
  if (issue.path.join() === 'gpu' && isCommand(args)) return put(args, issue.path, 'never')
  const value = valueAt(args, issue.path)
  const better = betterValue(issue, value)
  if (better === undefined || JSON.stringify(better) === JSON.stringify(value)) return false
  return put(args, issue.path, better)
}

/** A source whose kind is called its type. */
function nameKind(args: unknown, path: readonly PropertyKey[]): boolean {
  const holder = valueAt(args, path)
  if (typeof holder !== 'object' || holder === null || 'kind' in holder || !('type' in holder)) return false
  Reflect.set(holder, 'kind', holder.type)
  return Reflect.deleteProperty(holder, 'type')
}

function isCommand(args: unknown): boolean {
  const type = valueAt(args, ['type'])
  return type === undefined || type === 'command'
}

function betterValue(issue: Issue, value: unknown): unknown {
  const key = issue.path.at(-1)
  switch (issue.code) {
    case 'invalid_type':
      if (value === undefined) return undefined
      if (key === 'params' && typeof value === 'string') return { shell: true, script: value }
      if (key === 'params' && Array.isArray(value)) return { argv: value }
      return shapeHint(key, value) ?? parsed(issue.expected, value) ?? inWantedForm(issue.expected, value)
    case 'invalid_value':
      return value === undefined ? undefined : knownValue(value, issue.values)
    case 'invalid_union': {
      const options = 'options' in issue && Array.isArray(issue.options) ? (issue.options as unknown[]) : []
      return value === undefined ? undefined : knownValue(value, options)
    }
    case 'too_big':
      return typeof value === 'number' ? Number(issue.maximum) : undefined
    case 'invalid_format':
      return knownInstant(value)
    default:
      return undefined
  }
}

/** A list or an object that was sent as its JSON text. */
function parsed(expected: string, value: unknown): unknown {
  if (typeof value !== 'string' || !['array', 'object', 'record'].includes(expected)) return undefined
  try {
    const json: unknown = JSON.parse(value)
    return typeof json === 'object' && json !== null && Array.isArray(json) === (expected === 'array')
      ? json
      : undefined
  } catch {
    return undefined
  }
}

function mendKeys(
  schema: z.ZodType,
  args: unknown,
  issue: Issue & { readonly code: 'unrecognized_keys' },
  dropsUnknown: boolean,
): boolean {
  const holder = valueAt(args, issue.path)
  if (typeof holder !== 'object' || holder === null || Array.isArray(holder)) return false
  const object = holder as Arguments
  const known = schemaKeys(schema, issue.path, holder)
  let isChanged = false
  for (const key of issue.keys) {
    const renamed = knownName(key, object[key], known)
    if (renamed === null || object[renamed.key] !== undefined) continue
    Reflect.deleteProperty(object, key)
    object[renamed.key] = renamed.value
    isChanged = true
  }
  const left = issue.keys.filter((key) => Object.hasOwn(object, key))
  const rest = mendParams(object, known, left) ? [] : left
  if (dropsUnknown) for (const key of rest) Reflect.deleteProperty(object, key)
  return isChanged || rest.length < left.length || (dropsUnknown && rest.length > 0)
}

/** Puts what belongs into params, or into overrides, where it belongs. */
function mendParams(object: Arguments, known: readonly string[], keys: readonly string[]): boolean {
  if (known.includes('params')) {
    const misplaced = misplacedParams(object, [], keys)
    if (misplaced === null) return false
    for (const key of misplaced.keys) Reflect.deleteProperty(object, key)
    object['params'] = misplaced.params
    return true
  }
  for (const inner of ['overrides', 'job', 'filter']) {
    if (!known.includes(inner) || keys.length === 0) continue
    const given = object[inner]
    const target: Arguments = typeof given === 'object' && given !== null ? (given as Arguments) : {}
    for (const key of keys) {
      target[key] = object[key]
      Reflect.deleteProperty(object, key)
    }
    object[inner] = target
    return true
  }
  return false
}

function put(root: unknown, path: readonly PropertyKey[], value: unknown): boolean {
  const holder = valueAt(root, path.slice(0, -1))
  const key = path.at(-1)
  if (typeof holder !== 'object' || holder === null || key === undefined) return false
  return Reflect.set(holder, key, value)
}
