import { isAbsolute, join } from 'node:path'
import { cutText } from '../../domain/cut-text.ts'
import { harmlessText } from '../../domain/display-text.ts'
import { largestUnitBytes } from '../../domain/enumeration.ts'
import { QueueError } from '../../domain/errors.ts'
import type { Json } from '../../domain/job.ts'
import type { NewSource, NewUnit } from '../../domain/ports/source-store.ts'
import { rangeItem, rangeTotal } from '../../domain/range-items.ts'
import type { SubmitRequest } from '../../domain/wire/submit.ts'
import type { UnitSource } from '../../domain/wire/units.ts'
import { type KeyTemplates, UnitKeys } from '../runtime/unit-keys.ts'
import { discardSource, type SpoolContext, spoolSource, spoolUnits } from './source-spool.ts'

/** So many units, and so much of them, go into the transaction of the submit; more would hold it up. */
const mostDirectUnits = 100
const mostDirectLength = 128 * 1024
/** A list is kept in its row up to this length: open lists are read at once. Longer ones are files. */
const longestListText = 32 * 1024

export type UnitsRequest = Pick<SubmitRequest, 'units' | 'source' | 'unit_key' | 'per_key' | 'test_first' | 'keep_open'>

export interface PreparedUnits {
  /** Those that come with the job. */
  readonly units: readonly NewUnit[]
  /** Where further ones come from; its file is to be discarded when no job takes it. */
  readonly source: NewSource | null
  /** The first value; undefined: the job has no units with values, or none is known. */
  readonly first: Json | undefined
  readonly notes: readonly string[]
}

/**
 * Decides how the units of a submit become units of its job. A job without any has one whose value is null.
 * @param cwd directory of the job: where a glob without root looks
 * @param limitKeyIsDefault the job type said what units share limits, not the request
 * @throws QueueError invalid_input, limit_exceeded
 */
export async function prepareUnits(
  context: SpoolContext,
  request: UnitsRequest,
  cwd: string | null,
  limitKeyIsDefault = false,
): Promise<PreparedUnits> {
  const { createId } = context
  const keys = new UnitKeys({ ...keyTemplatesOf(request), limitKeyIsDefault }, createId)
  if (request.units === undefined && request.source === undefined) {
    const units = request.keep_open === true ? [] : [{ id: createId(), input: null }]
    return { units, source: null, first: undefined, notes: [] }
  }
  if (request.units !== undefined && request.test_first === undefined && isDirect(request.units)) {
    return directUnits(keys, request.units)
  }
  const { source, first } = await prepareSource(context, keys, request, cwd)
  const note = `${source.total} ${source.total === 1 ? 'unit' : 'units'}${originOf(request.source)}; the first is ${preview(first)}. They are added while the job already runs.`
  return { units: [], source, first, notes: [note] }
}

/** @throws QueueError invalid_input with the path that was probably meant */
function checkFile(source: UnitSource | undefined, cwd: string | null): void {
  if (source === undefined || !('file' in source) || isAbsolute(source.file) || cwd === null) return
  throw new QueueError(
    'invalid_input',
    `source.file is ${JSON.stringify(source.file)}, which is not an absolute path`,
    {
      remedy: `Give its absolute path; in the directory of the job it is "file": ${JSON.stringify(join(cwd, source.file))}.`,
    },
  )
}

/**
 * Makes a source of what add_units or a submit gave, and checks its first unit against the keys.
 * @throws QueueError invalid_input, limit_exceeded
 */
export async function prepareSource(
  context: SpoolContext,
  keys: UnitKeys,
  given: { readonly units?: readonly Json[] | undefined; readonly source?: UnitSource | undefined },
  cwd: string | null,
): Promise<{ readonly source: NewSource; readonly first: Json }> {
  checkFile(given.source, cwd)
  const prepared = await sourceOf(context, given, cwd)
  try {
    keys.unitOf(prepared.first)
  } catch (error) {
    discardSource(context, prepared.source)
    throw error
  }
  return prepared
}

/** @returns the templates by which units of a request get their keys. */
export function keyTemplatesOf(request: Pick<SubmitRequest, 'unit_key' | 'per_key'>): KeyTemplates {
  return { unitKey: request.unit_key ?? null, limitKey: request.per_key?.key ?? null }
}

async function sourceOf(
  context: SpoolContext,
  { units, source }: { readonly units?: readonly Json[] | undefined; readonly source?: UnitSource | undefined },
  cwd: string | null,
): Promise<{ readonly source: NewSource; readonly first: Json }> {
  if (units !== undefined) {
    const first = units[0]
    if (first === undefined) {
      throw new QueueError('invalid_input', 'units is empty', { remedy: 'Give at least one, or leave it out.' })
    }
    if (textLength(units, longestListText) <= longestListText)
      return { source: { kind: 'list', items: units, total: units.length }, first }
    const spool = await spoolUnits(context, units)
    return { source: { kind: 'spool', file: spool.file, total: spool.total }, first }
  }
  if (source === undefined) throw new QueueError('internal', 'neither units nor source')
  if (source.kind === 'range') {
    const total = rangeTotal(source)
    const { from, step } = source
    return { source: { kind: 'range', from, step, total }, first: rangeItem(from, step, 0) }
  }
  const { file, total, first } = await spoolSource(context, source, cwd)
  return { source: { kind: 'spool', file, total }, first }
}

function isDirect(units: readonly Json[]): boolean {
  return units.length <= mostDirectUnits && textLength(units, mostDirectLength) <= mostDirectLength
}

/** @returns the length of the units as JSON, or more than `enough` once it is known to be more */
function textLength(units: readonly Json[], enough: number): number {
  let length = 0
  for (const unit of units) {
    length += JSON.stringify(unit).length + 1
    if (length > enough) break
  }
  return length
}

/** All values are known here, so that a missing field of a key is refused whichever unit lacks it. */
function directUnits(keys: UnitKeys, values: readonly Json[]): PreparedUnits {
  const seen = new Set<string>()
  const units: NewUnit[] = []
  values.forEach((value, index) => {
    const unit = unitAt(keys, value, index)
    if (unit.key != null && seen.has(unit.key)) return
    if (unit.key != null) seen.add(unit.key)
    units.push(unit)
  })
  const skipped = values.length - units.length
  const notes =
    skipped === 0 ? [] : [`${skipped} of ${values.length} units are left out: another one has the same unit_key.`]
  return { units, source: null, first: values[0], notes }
}

function unitAt(keys: UnitKeys, value: Json, index: number): NewUnit {
  if (Buffer.byteLength(JSON.stringify(value)) > largestUnitBytes)
    throw new QueueError('limit_exceeded', `unit ${index} is larger than ${largestUnitBytes} bytes`)
  try {
    return keys.unitOf(value)
  } catch (error) {
    if (!(error instanceof QueueError)) throw error
    throw new QueueError(error.code, `unit ${index}: ${error.message}`, { remedy: error.remedy, cause: error })
  }
}

function originOf(source: UnitSource | undefined): string {
  switch (source?.kind) {
    case 'glob':
      return ` from ${harmlessText(source.pattern)}`
    case 'lines':
    case 'csv':
    case 'json':
    case 'sqlite':
      return ` from ${harmlessText(source.file)}`
    default:
      return ''
  }
}

function preview(value: Json): string {
  return harmlessText(cutText(JSON.stringify(value), 200))
}
