import type { z } from 'zod'
import { QueueError } from '../errors.ts'
import { inWantedForm, issueSentences } from './invalid-input.ts'
import { valueAt } from './schema-keys.ts'
import { commandParams, submitInput } from './submit.ts'

type Issue = z.core.$ZodIssue

/** Keys under which a command line is often given. */
const lineKeys: readonly string[] = ['command', 'cmd', 'command_line', 'cmdline']
const longestExample = 300

/**
 * Explains parameters of a command that do not fit by what was probably meant.
 * @param error of commandParams
 * @param params what was given
 */
export function invalidCommand(error: z.ZodError, params: Readonly<Record<string, unknown>>): QueueError {
  const remedies: string[] = []
  const messages: string[] = []
  const rest: Issue[] = []
  for (const issue of error.issues) {
    if (issue.code === 'unrecognized_keys' && issue.path.length === 0) explainKeys(issue.keys)
    else rest.push(issue)
  }
  const hasLineKey = lineKeys.some((key) => Object.hasOwn(params, key))
  const plain = rest.filter((issue) => {
    const key = issue.path[0]
    // A missing argv is the other side of a command line under a wrong name.
    if (hasLineKey && issue.code === 'custom' && key === 'argv') return false
    return !(
      params['shell'] === true &&
      Array.isArray(params['argv']) &&
      params['script'] === undefined &&
      key === 'script'
    )
  })
  for (const issue of plain) {
    const remedy = remedyOf(issue, params)
    if (remedy !== null) remedies.push(remedy)
  }
  if (plain.length > 0) messages.push(issueSentences(plain, { schema: commandParams, value: params, prefix: 'params' }))
  return new QueueError(
    'invalid_input',
    messages.join('; '),
    remedies.length === 0 ? {} : { remedy: remedies.join(' ') },
  )

  function explainKeys(keys: readonly string[]): void {
    const beside = keys.filter((key) => key !== 'params' && key !== 'type' && Object.hasOwn(submitInput.shape, key))
    const lines = keys.filter((key) => lineKeys.includes(key))
    const other = keys.filter(
      (key) => !beside.includes(key) && !lines.includes(key) && !(key === 'args' && lines.length > 0),
    )
    for (const key of beside) {
      messages.push(`${JSON.stringify(key)} belongs beside params, not in it`)
      remedies.push(`Give {"params":{…},${example({ [key]: params[key] }).slice(1)}.`)
    }
    for (const key of lines) {
      const words = params[key]
      messages.push(`params has the unknown key ${JSON.stringify(key)}`)
      remedies.push(
        Array.isArray(words) || Array.isArray(params['args'])
          ? `For a program give ${members({ argv: [words, params['args'] ?? []].flat() })}.`
          : `For a command line give ${members({ shell: true, script: typeof words === 'string' ? words : '…' })}.`,
      )
    }
    if (other.length === 0) return
    const issue: Issue = { code: 'unrecognized_keys', keys: other, path: [], message: '', input: params }
    messages.push(issueSentences([issue], { schema: commandParams, value: params, prefix: 'params' }))
  }
}

function remedyOf(issue: Issue, params: Readonly<Record<string, unknown>>): string | null {
  const key = issue.path[0]
  const value = valueAt(params, issue.path)
  if (key === 'argv' && typeof value === 'string' && issue.path.length === 1) {
    const list = inWantedForm('array', value)
    const shell = members({ shell: true, script: value })
    return list === undefined ? `For a command line give ${shell}.` : `Give ${members({ argv: list })}, or ${shell}.`
  }
  if (key === 'shell' && typeof value === 'string' && inWantedForm('boolean', value) === undefined) {
    return `For a command line write ${members({ shell: true, script: value })}.`
  }
  if (key === 'argv' && issue.code === 'custom' && params['shell'] === true && Array.isArray(value)) {
    if (params['script'] !== undefined) return 'Leave out argv, or leave out shell and script.'
    return `Put the line into params.script: ${members({ shell: true, script: value.join(' ') })}.`
  }
  if (key === 'script' && issue.code === 'custom' && typeof value === 'string' && params['argv'] === undefined) {
    return `Write ${members({ shell: true, script: value })}.`
  }
  return null
}

export interface MisplacedParams {
  readonly keys: readonly string[]
  /** Says so, with what to write. */
  readonly sentence: string
  /** As they should be. */
  readonly params: Readonly<Record<string, unknown>>
}

/**
 * Keys that were given beside params though they belong into it.
 * @param args the object that has them
 * @param path where that object stands in the call
 * @param unknownKeys keys of it that its schema does not have
 * @returns null when there is none
 */
export function misplacedParams(
  args: Readonly<Record<string, unknown>>,
  path: readonly PropertyKey[],
  unknownKeys: readonly string[],
): MisplacedParams | null {
  const inner = unknownKeys.filter((key) => Object.hasOwn(commandParams.shape, key))
  const line = unknownKeys.find((key) => lineKeys.includes(key))
  const keys = [...inner, ...(line === undefined ? [] : [line])]
  if (keys.length === 0) return null
  const given = typeof args['params'] === 'object' && args['params'] !== null ? args['params'] : {}
  const params = {
    ...given,
    // A script alone is no command.
    ...(inner.includes('script') ? { shell: true } : {}),
    ...Object.fromEntries(inner.map((key) => [key, args[key]])),
    ...asLine(args, line),
  }
  const call = path.reduceRight<Readonly<Record<string, unknown>>>((inside, key) => ({ [String(key)]: inside }), {
    params,
  })
  const names = keys.map((key) => JSON.stringify(key))
  const listed = names.length === 1 ? names[0] : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
  return {
    keys,
    params,
    sentence: `${listed} ${keys.length === 1 ? 'belongs' : 'belong'} into ${[...path, 'params'].map(String).join('.')}: ${example(call)}`,
  }
}

/** @returns params as they should be written, made from a command line or a list of words; null from anything else. */
export function paramsFrom(value: unknown): string | null {
  if (typeof value === 'string' && value !== '') return example({ params: { shell: true, script: value } })
  return Array.isArray(value) && value.length > 0 ? example({ params: { argv: value } }) : null
}

function asLine(args: Readonly<Record<string, unknown>>, key: string | undefined): Readonly<Record<string, unknown>> {
  if (key === undefined) return {}
  const words = args[key]
  if (Array.isArray(words)) return { argv: words }
  return { shell: true, script: typeof words === 'string' ? words : '…' }
}

function example(value: Readonly<Record<string, unknown>>): string {
  const text = JSON.stringify(value)
  return text.length <= longestExample ? text : `${text.slice(0, longestExample)}…`
}

/** Members of an object as they are written inside its braces. */
function members(value: Readonly<Record<string, unknown>>): string {
  const text = Object.entries(value)
    .map(([key, item]) => `"${key}": ${JSON.stringify(item)}`)
    .join(', ')
  return text.length <= longestExample ? text : `${text.slice(0, longestExample)}…`
}
