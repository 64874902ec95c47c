import type { z } from 'zod'
import { QueueError } from '../errors.ts'
import { schemaDescription, schemaKeys, valueAt } from './schema-keys.ts'
import { shapeHint } from './shape-hints.ts'

type Issue = z.core.$ZodIssue

/** What an issue is about; zod itself keeps neither schema nor value. */
export interface Checked {
  readonly schema: z.ZodType
  readonly value: unknown
  /** Path of the value in what the person wrote, such as "params". */
  readonly prefix?: string | undefined
  /** What a key of the outermost object is called; "argument" when left out. */
  readonly keyNoun?: string | undefined
}

const shownIssues = 5
const shownCharacters = 80

/** @returns the error that names every bad argument by its path, with its value and what is valid. */
export function invalidInput(error: z.ZodError, checked: Checked): QueueError {
  return new QueueError('invalid_input', issueSentences(error.issues, checked))
}

/** @returns the first issues as sentences, without a full stop. */
export function issueSentences(issues: readonly Issue[], checked: Checked): string {
  const all = issues.flatMap(withoutUnions)
  const told = all.filter((issue) => !all.some((other) => hides(other, issue)))
  const lines = told.slice(0, shownIssues).map((issue) => issueSentence(issue, checked))
  const more = told.length - shownIssues
  return lines.join('; ') + (more > 0 ? `; and ${more} more` : '')
}

/** @returns what is wrong with the one of several shapes that was meant; the issue itself when that is not clear */
function withoutUnions(issue: Issue): readonly Issue[] {
  if (issue.code !== 'invalid_union') return [issue]
  const meant = issue.errors.filter(
    (branch) => !branch.some((inner) => inner.code === 'invalid_type' && inner.path.length === 0),
  )
  const [only] = meant
  if (only === undefined || meant.length > 1) return [issue]
  return only.flatMap((inner) => withoutUnions({ ...inner, path: [...issue.path, ...inner.path] } as Issue))
}

/** What has the wrong type may have a wrong length, too, and what is empty matches no pattern; that says nothing. */
function hides(one: Issue, other: Issue): boolean {
  if (one === other || one.path.join('\0') !== other.path.join('\0')) return false
  if (one.code === 'invalid_type') return true
  if (other.code !== 'invalid_format') return false
  if (one.code === 'too_small') return one.minimum === 1
  // A known format has a pattern in a JSON Schema, too.
  return one.code === 'invalid_format' && one.format !== 'regex' && other.format === 'regex'
}

/** @returns one issue for people: `timeout_s is 2592000, but may be at most 604800`. */
export function issueSentence(issue: Issue, checked: Checked): string {
  const path = [...(checked.prefix === undefined ? [] : [checked.prefix]), ...issue.path.map(String)].join('.')
  if (path === '' && issue.code === 'unrecognized_keys') {
    return `unknown ${checked.keyNoun ?? 'argument'} ${quotedKeys(issue.keys)}${validKeys(issue, checked)}`
  }
  return `${path === '' ? 'it' : path} ${issuePredicate(issue, checked)}`
}

/** @returns the same without the name of what is wrong: `is 2592000, but may be at most 604800`. */
export function issuePredicate(issue: Issue, checked: Omit<Checked, 'prefix'>): string {
  const value = valueAt(checked.value, issue.path)
  switch (issue.code) {
    case 'invalid_type':
      return wrongType(issue.expected, value, shapeHint(issue.path.at(-1), value))
    case 'too_big':
    case 'too_small':
      return wrongSize(issue, value)
    case 'invalid_value': {
      const valid = issue.values.map(String).join(', ')
      return value === undefined ? `is missing; valid: ${valid}` : `is ${shown(value)}; valid: ${valid}`
    }
    case 'invalid_union': {
      const valid = 'options' in issue && Array.isArray(issue.options) ? issue.options.map(String).join(', ') : ''
      if (valid === '') return issue.message
      return value === undefined ? `is missing; valid: ${valid}` : `is ${shown(value)}; valid: ${valid}`
    }
    case 'unrecognized_keys':
      return `has the unknown ${issue.keys.length === 1 ? 'key' : 'keys'} ${quotedKeys(issue.keys)}${validKeys(issue, checked)}`
    case 'invalid_key': {
      const inner = issue.issues[0]
      return inner?.code === 'too_small' ? 'is an empty name' : (inner?.message ?? issue.message)
    }
    case 'invalid_format':
      return wrongFormat(issue, value, schemaDescription(checked.schema, issue.path))
    default:
      return ownWords(issue.message, value)
  }
}

/** zod's own words name only the pattern; what the field is for says more. A schema's own words are kept. */
function wrongFormat(issue: Issue & { readonly code: 'invalid_format' }, value: unknown, description?: string): string {
  const words = /^Invalid (?:string: )?(.+)$/s.exec(issue.message)?.[1]
  if (words === undefined) return ownWords(issue.message, value)
  if (issue.format !== 'regex')
    return words.startsWith('must ') ? ownWords(words, value) : `is ${shown(value)}, which is no valid ${words}`
  if (description !== undefined) return `is ${shown(value)}, which does not fit: ${description}`
  return `is ${shown(value)}, which does not match the pattern ${cut('pattern' in issue ? String(issue.pattern) : '')}`
}

/** The schema's own words, written as "must be …", "is not …" or a whole predicate. */
function ownWords(message: string, value: unknown): string {
  if (value === undefined || typeof value === 'object') return message
  if (message.startsWith('must ')) return `is ${shown(value)}, but ${message}`
  return message.startsWith('is not ') ? `is ${shown(value)}, which ${message}` : message
}

function quotedKeys(keys: readonly string[]): string {
  return keys.map((key) => JSON.stringify(key)).join(', ')
}

function validKeys(issue: Issue, { schema, value }: Pick<Checked, 'schema' | 'value'>): string {
  const keys = schemaKeys(schema, issue.path, valueAt(value, issue.path))
  return keys.length === 0 ? '' : `; valid: ${keys.join(', ')}`
}

/** @returns a value as JSON, cut when it is long. */
export function shown(value: unknown): string {
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value))
  return cut(text)
}

function cut(text: string): string {
  return text.length <= shownCharacters ? text : `${text.slice(0, shownCharacters)}…`
}

const wantedTypes: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
}

function wrongType(expected: string, value: unknown, hint: unknown): string {
  if (value === undefined) return 'is missing'
  const wanted = wantedTypes[expected] ?? expected
  if (typeof value === 'number') return `is ${shown(value)}, but must be ${wanted}${suggestion(expected, value, hint)}`
  return `is ${typeText(value)}, but must be ${wanted}${suggestion(expected, value, hint)}`
}

function typeText(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'an object'
  return typeof value === 'string' ? 'text' : String(value)
}

/** @returns the given value in the wanted form, where there is a plain one. */
function suggestion(expected: string, value: unknown, hint: unknown): string {
  const better = hint ?? inWantedForm(expected, value)
  const text = better === undefined ? '' : (JSON.stringify(better) ?? '')
  return text === '' || text.length > shownCharacters ? '' : `: ${text}`
}

/** @returns the value in the form that was expected, or undefined when it is not clear which that would be. */
export function inWantedForm(expected: string, value: unknown): unknown {
  switch (expected) {
    case 'array':
      return typeof value === 'string' ? listOf(value) : undefined
    case 'record':
    case 'object':
      return pairsOf(value)
    case 'number':
    case 'int':
      return typeof value === 'string' && /^\s*-?\d+(\.\d+)?\s*$/.test(value) ? Number(value) : undefined
    case 'boolean':
      return value === 'true' ? true : value === 'false' ? false : undefined
    case 'string':
      return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined
    default:
      return undefined
  }
}

/** Words of a text; a text with quotes or signs of a shell has no plain list. */
function listOf(text: string): readonly string[] | undefined {
  if (/["'`\\|&;<>$*?(){}]/.test(text)) return undefined
  const words = text.split(/[\s,]+/).filter((word) => word !== '')
  return words.length === 0 ? undefined : words
}

/** `["a=b"]` and `"a=b"` say the object {"a":"b"}. */
function pairsOf(value: unknown): Readonly<Record<string, string>> | undefined {
  const items: readonly unknown[] = Array.isArray(value) ? value : [value]
  const pairs: (readonly [string, string])[] = []
  for (const item of items) {
    const match = typeof item === 'string' ? /^([^\s=]{1,64})=([^=]*)$/.exec(item) : null
    if (match === null) return undefined
    pairs.push([match[1] ?? '', match[2] ?? ''])
  }
  return pairs.length === 0 ? undefined : Object.fromEntries(pairs)
}

type SizeIssue = z.core.$ZodIssueTooBig | z.core.$ZodIssueTooSmall

function wrongSize(issue: SizeIssue, value: unknown): string {
  const isBig = issue.code === 'too_big'
  const bound = Number(isBig ? issue.maximum : issue.minimum)
  const inclusive = issue.inclusive !== false
  if (issue.origin === 'string' || issue.origin === 'array') {
    const length = typeof value === 'string' || Array.isArray(value) ? value.length : 0
    if (!isBig && length === 0) return 'is empty'
    const noun = issue.origin === 'string' ? 'characters' : 'items'
    return `has ${length} ${noun}, but ${isBig ? 'may have at most' : 'must have at least'} ${bound}`
  }
  if (isBig) return `is ${shown(value)}, but ${inclusive ? 'may be at most' : 'must be less than'} ${bound}`
  return `is ${shown(value)}, but must be ${inclusive ? 'at least' : 'more than'} ${bound}`
}
