import { cutText } from './cut-text.ts'
import { harmlessText } from './display-text.ts'
import { QueueError } from './errors.ts'
import type { Json } from './job.ts'

/** What placeholders speak of. */
export interface TemplateScope {
  /** Undefined: there is no unit here. */
  readonly unit?: Json | undefined
  /** Position of the unit, from 0. */
  readonly index: number
  readonly job: { readonly id: string }
  readonly attempt: number
  /** By alias: what a dependency left, such as {id, state, result}. */
  readonly dependencies: ReadonlyMap<string, Json>
}

const roots = ['unit', 'index', 'job', 'attempt', 'dependencies'] as const
type Root = (typeof roots)[number]

export interface TemplateRules {
  /** How the text is called in errors, such as `params.argv[1]`. */
  readonly name: string
  /** Roots that may be used; default all. */
  readonly roots?: readonly Root[]
  /** Names of dependencies: `{{fit.result}}` means `{{dependencies.fit.result}}`. Undefined: not known. */
  readonly aliases?: readonly string[] | undefined
  /**
   * False: `{{` before an unknown word is plain text, as in `docker ps --format {{.Names}}`; for jobs in which nothing but job and
   * attempt could be meant.
   */
  readonly strict?: boolean
}

export interface Placeholder {
  readonly root: Root
  readonly path: readonly string[]
  /** As it was written. */
  readonly text: string
}

/** A parsed text: parsed once, rendered for every unit. */
export interface Template {
  readonly name: string
  /** Text as it is, and placeholders. */
  readonly parts: readonly (string | Placeholder)[]
}

const remedy =
  'Placeholders are {{unit}}, {{unit.field}}, {{unit["any key"]}}, {{index}}, {{job.id}}, {{attempt}} and {{dependencies.name.result}}; write {{{{ for two braces that mean themselves.'

/**
 * Parses a text with placeholders. Spaces inside the braces are allowed; `{{{{` stands for `{{`.
 * @throws QueueError invalid_input naming text, position and what is possible
 */
export function compileTemplate(text: string, rules: TemplateRules): Template {
  const parts: (string | Placeholder)[] = []
  let plain = ''
  let at = 0
  while (at < text.length) {
    const opening = text.indexOf('{{', at)
    if (opening < 0) break
    plain += text.slice(at, opening)
    const braces = bracesAt(text, opening)
    const meantAs = rules.strict === false ? knownRootAt(text, opening + braces, rules) : true
    if (!meantAs) {
      plain += text.slice(opening, opening + braces)
      at = opening + braces
    } else if (braces >= 4) {
      plain += '{{'
      at = opening + 4
    } else if (braces === 3) {
      // JSON around a value: {{{unit}}} is a brace, a placeholder and a brace.
      plain += '{'
      at = opening + 1
    } else {
      const { placeholder, end } = parsePlaceholder(text, opening, rules)
      if (plain !== '') parts.push(plain)
      plain = ''
      parts.push(placeholder)
      at = end
    }
  }
  plain += text.slice(at)
  if (plain !== '') parts.push(plain)
  return { name: rules.name, parts }
}

/** @returns the placeholders of a template, in order. */
export function placeholdersOf(template: Template): readonly Placeholder[] {
  return template.parts.filter((part) => typeof part !== 'string')
}

/**
 * @returns the text with every placeholder replaced: strings as they are, everything else as JSON
 * @throws QueueError invalid_input when a field is missing (naming those there are) or a value holds a NUL character
 */
export function renderTemplate(template: Template, scope: TemplateScope): string {
  return template.parts.map((part) => (typeof part === 'string' ? part : valueText(template, part, scope))).join('')
}

/** @returns the value a placeholder stands for; `.host` of a URL is its host. @throws QueueError invalid_input when there is none */
export function placeholderValue(template: Template, placeholder: Placeholder, scope: TemplateScope): Json {
  let value = rootValue(template, placeholder, scope)
  let name: string = placeholder.root
  for (const key of placeholder.path) {
    const field = ownField(value, key)
    const next = field === undefined && key === 'host' ? hostOf(value) : field
    if (next === undefined) throw missing(template, placeholder, `${name} has no field ${quoted(key)}`, value)
    value = next
    name += `.${key}`
  }
  return value
}

/** True when there is a known root behind the braces, so that a template cannot be meant as plain text. */
function knownRootAt(text: string, at: number, rules: TemplateRules): boolean {
  const word = match(/\s*([A-Za-z_][A-Za-z0-9_]*)\s*(?=[.[}])/y, text, at)?.[1]
  return word !== undefined && (isRoot(word) || (rules.aliases ?? []).includes(word))
}

function bracesAt(text: string, at: number): number {
  let end = at
  while (text[end] === '{') end += 1
  return end - at
}

function match(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at
  return pattern.exec(text)
}

function isRoot(word: string): word is Root {
  return (roots as readonly string[]).includes(word)
}

function parsePlaceholder(
  text: string,
  opening: number,
  rules: TemplateRules,
): { readonly placeholder: Placeholder; readonly end: number } {
  const first = match(/\s*([A-Za-z_][A-Za-z0-9_]*)\s*/y, text, opening + 2)
  if (first?.[1] === undefined) throw malformed(text, opening, rules, 'does not begin with a word')
  const path: string[] = []
  let at = opening + 2 + first[0].length
  for (;;) {
    const end = match(/\s*\}\}/y, text, at)
    if (end !== null) {
      at += end[0].length
      break
    }
    const quotedKey = match(/\s*\[\s*("(?:[^"\\]|\\.)*"|\d+)\s*\]/y, text, at)
    const key = match(/\s*\.\s*([^\s.[\]{}"][^.[\]{}\r\n]*)/y, text, at)
    if (quotedKey?.[1] !== undefined) path.push(String(parseKey(quotedKey[1], text, opening, rules)))
    else if (key?.[1] !== undefined) path.push(key[1].trimEnd())
    else throw malformed(text, opening, rules, text.includes('}}', at) ? 'is not well-formed' : 'is not closed by }}')
    at += (quotedKey ?? key)?.[0].length ?? 0
  }
  const written = text.slice(opening, at)
  const placeholder = resolveRoot(first[1], path, written, rules, (why) => malformed(text, opening, rules, why))
  return { placeholder, end: at }
}

function parseKey(json: string, text: string, opening: number, rules: TemplateRules): unknown {
  try {
    return JSON.parse(json)
  } catch {
    throw malformed(text, opening, rules, `has the key ${json}, which is not a JSON string`)
  }
}

/** Finds out what the first word means, and checks what follows it. */
function resolveRoot(
  word: string,
  path: readonly string[],
  text: string,
  rules: TemplateRules,
  refuse: (why: string) => QueueError,
): Placeholder {
  const { aliases } = rules
  if (!isRoot(word)) {
    if (aliases?.includes(word) === true) return { root: 'dependencies', path: [word, ...path], text }
    throw refuse(
      `begins with ${quoted(word)}, which means nothing here (a field of a unit is {{unit.${[word, ...path].join('.')}}})${aliases === undefined || aliases.length === 0 ? '' : `; its dependencies are called ${aliases.join(', ')}: name one with {"id":"…","as":${JSON.stringify(word)}}`}`,
    )
  }
  const allowed = rules.roots ?? roots
  if (!allowed.includes(word)) throw refuse(`cannot be used here; only ${allowed.join(', ')} can`)
  if ((word === 'index' || word === 'attempt') && path.length > 0)
    throw refuse(`asks for a field of ${word}, which is a number`)
  if (word === 'job' && (path.length !== 1 || path[0] !== 'id')) throw refuse('is not {{job.id}}')
  if (word === 'dependencies') assertDependency(path[0], aliases, refuse)
  return { root: word, path, text }
}

function assertDependency(
  alias: string | undefined,
  aliases: readonly string[] | undefined,
  refuse: (why: string) => QueueError,
): void {
  if (alias === undefined) throw refuse('names no dependency')
  if (aliases === undefined || aliases.includes(alias)) return
  throw refuse(
    aliases.length === 0
      ? `names the dependency ${quoted(alias)}, but the job has none with a name (depends_on)`
      : `names the dependency ${quoted(alias)}; there are: ${aliases.join(', ')}`,
  )
}

function rootValue(template: Template, placeholder: Placeholder, scope: TemplateScope): Json {
  switch (placeholder.root) {
    case 'unit':
      if (scope.unit !== undefined) return scope.unit
      throw new QueueError('invalid_input', `${placeholder.text} in ${template.name}: there is no unit here`, {
        remedy: 'Give units or a source; a final step reads the file that NIGHTKILN_RESULTS names.',
      })
    case 'index':
      return scope.index
    case 'attempt':
      return scope.attempt
    case 'job':
      return { id: scope.job.id }
    case 'dependencies':
      return Object.fromEntries(scope.dependencies)
  }
}

/** Own fields only: nothing that every object or list has. */
function ownField(value: Json, key: string): Json | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  if (Array.isArray(value)) return /^(0|[1-9]\d{0,9})$/.test(key) ? value[Number(key)] : undefined
  return Object.hasOwn(value, key) ? value[key] : undefined
}

/**
 * `.host` of a text that is an http(s) URL, or of an object whose field `url` is one: host name and, unless it is the usual one,
 * port. Only asked for where there is no such field.
 */
function hostOf(value: Json): string | undefined {
  const text = typeof value === 'string' ? value : ownField(value, 'url')
  if (typeof text !== 'string' || !/^https?:\/\//i.test(text) || !URL.canParse(text)) return undefined
  return new URL(text).host
}

function valueText(template: Template, placeholder: Placeholder, scope: TemplateScope): string {
  const value = placeholderValue(template, placeholder, scope)
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  if (!text.includes('\0')) return text
  throw new QueueError(
    'invalid_input',
    `${placeholder.text} in ${template.name} holds a NUL character, which no program can receive`,
    { remedy: 'Correct the unit, or let the command read the file that NIGHTKILN_UNIT_FILE names.' },
  )
}

const mostShownKeys = 20

function missing(template: Template, { text }: Placeholder, why: string, value: Json): QueueError {
  return new QueueError('invalid_input', `${text} in ${template.name}: ${why}; ${whatThereIs(value)}`, {
    remedy: 'Use a field that every unit has, or correct the unit.',
  })
}

function whatThereIs(value: Json): string {
  if (Array.isArray(value)) return `it is a list of ${value.length}, counted from 0`
  if (typeof value !== 'object' || value === null)
    return `it is ${value === null ? 'null' : `a ${typeof value}`} without fields`
  const keys = Object.keys(value)
  if (keys.length === 0) return 'it has none'
  const shown = keys.slice(0, mostShownKeys).map((key) => harmlessText(cutText(key, 60)))
  return `it has: ${shown.join(', ')}${keys.length > shown.length ? ` and ${keys.length - shown.length} more` : ''}`
}

function malformed(text: string, opening: number, { name }: TemplateRules, why: string): QueueError {
  const end = text.indexOf('}}', opening)
  const shown = quoted(cutText(text.slice(opening, end < 0 ? undefined : end + 2), 80))
  return new QueueError('invalid_input', `${name}: the placeholder ${shown} at character ${opening + 1} ${why}`, {
    remedy,
  })
}

function quoted(text: string): string {
  return `"${harmlessText(cutText(text, 100))}"`
}
