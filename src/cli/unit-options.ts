import { readFileSync } from 'node:fs'
import { isAbsolute, resolve } from 'node:path'
import type { Command } from 'commander'
import { QueueError } from '../domain/errors.ts'
import { badOption, jsonOrText, repeated } from './option-values.ts'

/** Options that say which units a job has; the same for submit, rerun and add-units. */
export interface UnitOptions {
  readonly unit?: readonly string[]
  readonly unitsFrom?: string
  readonly glob?: string
  readonly root?: string
  readonly exclude?: readonly string[]
  readonly lines?: string
  readonly csv?: string
  readonly csvDelimiter?: string
  /** False with --no-csv-header; commander sets true otherwise. */
  readonly csvHeader?: boolean
  readonly jsonFile?: string
  readonly jsonPath?: string
  readonly sqlite?: string
  readonly query?: string
  readonly range?: string
  readonly source?: string
}

/** Units as given: a list or a source, never both; checked as a whole by the wire schema. */
export interface GivenUnits {
  readonly units?: readonly unknown[]
  readonly source?: Readonly<Record<string, unknown>>
}

/** Adds the options of UnitOptions to a command. */
export function addUnitOptions(command: Command): Command {
  return command
    .option('--unit <value>', 'one unit: JSON, or text; repeatable', repeated)
    .option('--units-from <file>', 'units from a JSON file that holds a list, read here')
    .option('--glob <pattern>', 'a unit for each file that fits, such as "**/*.pdf" (quoted)')
    .option('--root <directory>', 'with --glob: where to look (default: the current directory)')
    .option('--exclude <pattern>', 'with --glob: what is left out; repeatable', repeated)
    .option('--lines <file>', 'a unit for each line of a file')
    .option('--csv <file>', 'a unit for each row: an object by column name')
    .option('--csv-delimiter <character>', 'with --csv (default: a comma)')
    .option('--no-csv-header', 'with --csv: the first row is data too; units are lists')
    .option('--json-file <file>', 'a unit for each item of a list in a JSON file')
    .option('--json-path <keys>', 'with --json-file: keys to the list, such as data.items')
    .option('--sqlite <file>', 'a unit for each row of a query on an SQLite database, opened read-only')
    .option('--query <sql>', 'with --sqlite: one SELECT')
    .option('--range <from..to[:step]>', 'a unit for each number, such as 1..100 or 0..1:0.25; both ends included')
    .option('--source <json>', 'a source as submit_job takes it')
}

const ways = ['unit', 'unitsFrom', 'glob', 'lines', 'csv', 'jsonFile', 'sqlite', 'range', 'source'] as const
const optionNames: Readonly<Record<string, string>> = { unitsFrom: '--units-from', jsonFile: '--json-file' }
const belongings = [
  ['root', '--root', 'glob', '--glob'],
  ['exclude', '--exclude', 'glob', '--glob'],
  ['csvDelimiter', '--csv-delimiter', 'csv', '--csv'],
  ['jsonPath', '--json-path', 'jsonFile', '--json-file'],
  ['query', '--query', 'sqlite', '--sqlite'],
] as const

/**
 * @param cwd directory from which relative paths are meant
 * @returns what the options say about units; empty when none was given
 * @throws QueueError invalid_input naming the option
 */
export function unitsOf(options: UnitOptions, cwd: string): GivenUnits {
  const given = ways.filter((way) => options[way] !== undefined)
  if (given.length > 1) {
    const names = given.map((way) => optionNames[way] ?? `--${way}`)
    throw new QueueError('invalid_input', `${names.join(' and ')} were given together`, {
      remedy: 'Say in one way what the units are.',
    })
  }
  for (const [key, name, owner, ownerName] of belongings) {
    if (options[key] !== undefined && options[owner] === undefined)
      throw new QueueError('invalid_input', `${name} needs ${ownerName}`, { remedy: `Give ${ownerName} too.` })
  }
  const absolute = (path: string) => (isAbsolute(path) ? path : resolve(cwd, path))
  if (options.unit !== undefined) return { units: options.unit.map(jsonOrText) }
  if (options.unitsFrom !== undefined) return { units: unitsInFile(absolute(options.unitsFrom)) }
  const source = sourceOf(options, absolute)
  return source === null ? {} : { source }
}

function sourceOf(options: UnitOptions, absolute: (path: string) => string): Readonly<Record<string, unknown>> | null {
  if (options.glob !== undefined) {
    const exclude = options.exclude === undefined ? {} : { exclude: options.exclude }
    return { kind: 'glob', pattern: options.glob, root: absolute(options.root ?? '.'), ...exclude }
  }
  if (options.lines !== undefined) return { kind: 'lines', file: absolute(options.lines) }
  if (options.csv !== undefined) {
    const delimiter = options.csvDelimiter === undefined ? {} : { delimiter: tabOr(options.csvDelimiter) }
    const header = options.csvHeader === false ? { header: false } : {}
    return { kind: 'csv', file: absolute(options.csv), ...delimiter, ...header }
  }
  if (options.jsonFile !== undefined) {
    const path = options.jsonPath === undefined ? {} : { path: options.jsonPath }
    return { kind: 'json', file: absolute(options.jsonFile), ...path }
  }
  if (options.sqlite !== undefined) {
    if (options.query === undefined)
      throw new QueueError('invalid_input', '--sqlite needs --query', {
        remedy: 'Say which rows: --sqlite crawl.db --query "SELECT url FROM page".',
      })
    return { kind: 'sqlite', file: absolute(options.sqlite), query: options.query }
  }
  if (options.range !== undefined) return rangeOf(options.range)
  return options.source === undefined ? null : sourceInJson(options.source)
}

/** A shell gives `\t` as two characters. */
function tabOr(text: string): string {
  return text === '\\t' ? '\t' : text
}

function rangeOf(text: string): Readonly<Record<string, unknown>> {
  const number = String.raw`(-?\d+(?:\.\d+)?)`
  const [, from, to, step] = new RegExp(`^${number}\\.\\.${number}(?::${number})?$`).exec(text.trim()) ?? []
  if (from === undefined || to === undefined)
    throw badOption('--range', text, 'FROM..TO or FROM..TO:STEP, such as 1..100')
  return { kind: 'range', from: Number(from), to: Number(to), ...(step === undefined ? {} : { step: Number(step) }) }
}

function sourceInJson(text: string): Readonly<Record<string, unknown>> {
  const value = jsonOrText(text)
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  throw badOption('--source', text, 'a JSON object such as {"kind":"lines","file":"/home/you/urls.txt"}')
}

function unitsInFile(file: string): readonly unknown[] {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new QueueError(
      'invalid_input',
      `--units-from names ${file}, which cannot be read: ${(error as Error).message}`,
    )
  }
  const value = jsonOrText(text)
  if (Array.isArray(value)) return value
  throw new QueueError('invalid_input', `--units-from names ${file}, which holds no JSON list`, {
    remedy: 'Write a list such as ["a","b"] into it; for a file with a text a line use --lines.',
  })
}
