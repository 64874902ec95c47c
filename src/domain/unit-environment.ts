import type { Json } from './job.ts'
import type { TaskFile } from './ports/executor.ts'

/** A longer value stands only in the file: programs get at most 128 KiB in one variable, and about 2 MiB in all. */
const longestVariable = 32 * 1024
const mostVariableText = 128 * 1024
/** Names that mean something else than a field. */
const reserved = new Set(['INDEX', 'FILE'])

/**
 * The variables by which a command finds its unit: NIGHTKILN_UNIT (text as it is, else JSON), NIGHTKILN_UNIT_INDEX, and
 * NIGHTKILN_UNIT_<FIELD> for every field that is a text, number or boolean. What is too long, holds a NUL character or has no
 * name of its own is left out: the file of `unitFiles` has everything.
 */
export function unitEnvironment(unit: Json, index: number): Record<string, string> {
  const text = textOf(unit)
  return {
    ...(isPossible(text) ? { NIGHTKILN_UNIT: text } : {}),
    NIGHTKILN_UNIT_INDEX: String(index),
    ...fieldVariables(unit),
  }
}

/** Files with the whole unit and what its job depends on. @param unit undefined: there is none */
export function unitFiles(unit: Json | undefined, dependencies: ReadonlyMap<string, Json>): TaskFile[] {
  return [
    ...(unit === undefined
      ? []
      : [{ variable: 'NIGHTKILN_UNIT_FILE', name: 'unit.json', text: `${JSON.stringify(unit)}\n` }]),
    ...(dependencies.size === 0
      ? []
      : [
          {
            variable: 'NIGHTKILN_DEPENDENCIES_FILE',
            name: 'dependencies.json',
            text: `${JSON.stringify(Object.fromEntries(dependencies))}\n`,
          },
        ]),
  ]
}

function fieldVariables(unit: Json): Record<string, string> {
  if (typeof unit !== 'object' || unit === null || Array.isArray(unit)) return {}
  const found = new Map<string, string | null>()
  for (const [field, value] of Object.entries(unit)) {
    const name = field.toUpperCase().replace(/[^A-Z0-9_]/g, '_')
    if (name === '' || reserved.has(name) || typeof value === 'object') continue
    // Two fields with one name: neither is guessed.
    found.set(name, found.has(name) ? null : textOf(value))
  }
  const variables: Record<string, string> = {}
  let length = 0
  for (const [name, text] of found) {
    if (text === null || !isPossible(text)) continue
    length += name.length + text.length
    if (length > mostVariableText) break
    variables[`NIGHTKILN_UNIT_${name}`] = text
  }
  return variables
}

function textOf(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function isPossible(text: string): boolean {
  return text.length <= longestVariable && !text.includes('\0')
}
