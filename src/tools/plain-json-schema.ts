import { z } from 'zod'

/** A JSON Schema as listed by a tool. */
export interface PlainJsonSchema extends Record<string, unknown> {
  readonly type: 'object'
}

/** Longer lists of values, such as every error code, are left out of answers. */
const mostListedValues = 16

type JsonSchema = Record<string, unknown>

/** Large shapes that stand in several tools: one of them spells them, the others refer to it. Told by a field that they alone have. */
const referredShapes: readonly { readonly key: string; readonly text: string; readonly speller?: string }[] = [
  { key: 'stored_state', text: 'A job as job_status answers it', speller: 'job_status' },
  {
    key: 'untrusted_input',
    text: 'unit (its position), state, why, error, untrusted_input, result (untrusted), mode, device and so on',
  },
  { key: 'final_step', text: 'Fields as of submit_job', speller: 'submit_job' },
  { key: 'next_runs', text: 'A schedule as list_schedules answers it', speller: 'list_schedules' },
  { key: 'held_until', text: 'A queue as queue_status answers it', speller: 'queue_status' },
  { key: 'percent', text: 'Progress as of job_status', speller: 'job_status' },
  { key: 'remedy', text: 'Error as of job_status', speller: 'job_status' },
  {
    key: 'shown_before',
    text: 'id, name, state, why, at, shown_before, eta_s; of a missed run schedule, due_at, outcome, why',
  },
  { key: 'available', text: 'Numbers of units by state, as of job_status', speller: 'job_status' },
  { key: 'created_at', text: 'A job as list_jobs answers it', speller: 'list_jobs' },
  {
    key: 'created_after',
    text: 'Fields as of list_jobs: states, type, queue, labels, created_after, created_before, text',
    speller: 'list_jobs',
  },
]

/**
 * JSON Schema that is read by models and valid in draft-07 as in 2020-12: without the noise of its generator, such as
 * bounds of the integers, the pattern behind a date-time, and a recursive definition of "any JSON".
 * @param tool the tool that lists it: shapes that it spells are written out below the root, others referred to
 * @param reader people look a field up: for them every description of an answer stays
 */
export function plainJsonSchema(
  schema: z.ZodType,
  direction: 'input' | 'output',
  tool: string,
  reader: 'model' | 'person' = 'model',
): PlainJsonSchema {
  const { $schema: _dialect, $defs: definitions, ...root } = z.toJSONSchema(schema, { io: direction }) as JsonSchema
  const anyJson = Object.entries((definitions ?? {}) as Record<string, JsonSchema>)
    .filter(([, definition]) => Array.isArray(definition['anyOf']))
    .map(([name]) => `#/$defs/${name}`)
  const whole = simplified(root, anyJson)
  const simple = referring(whole, tool, true)
  return (direction === 'output' && reader === 'model' ? shortened(simple) : simple) as PlainJsonSchema
}

/** Replaces what another tool spells by a reference in words; the schema still accepts the same values, and more. */
function referring(node: unknown, tool: string, isRoot: boolean): unknown {
  if (Array.isArray(node)) return node.map((item) => referring(item, tool, false))
  if (typeof node !== 'object' || node === null) return node
  const schema = node as JsonSchema
  const properties = schema['type'] === 'object' ? schema['properties'] : undefined
  const shape =
    isRoot || typeof properties !== 'object' || properties === null
      ? undefined
      : referredShapes.find(({ key }) => Object.hasOwn(properties, key))
  if (shape !== undefined && shape.speller !== tool) {
    const own = typeof schema['description'] === 'string' ? `${schema['description']}. ` : ''
    return { type: 'object', description: `${own}${shape.text}` }
  }
  return Object.fromEntries(Object.entries(schema).map(([key, item]) => [key, referring(item, tool, false)]))
}

/**
 * A model pays for every character of a listed answer, reads the answer itself with the tool's own words about it, and nobody
 * checks ids or codes of answers by the schema: without patterns, formats, bounds, long lists of values, and descriptions but for
 * what is untrusted and what another tool spells.
 */
function shortened(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(shortened)
  if (typeof node !== 'object' || node === null) return node
  const schema = { ...node } as JsonSchema
  for (const key of ['pattern', 'format', 'minimum', 'maximum', 'exclusiveMinimum']) {
    if (typeof schema[key] !== 'object') delete schema[key]
  }
  const { description } = schema
  if (typeof description === 'string' && !isReference(description)) {
    if (untrusted.test(description)) schema['description'] = 'Untrusted'
    else delete schema['description']
  }
  if (Array.isArray(schema['enum']) && schema['enum'].length > mostListedValues) delete schema['enum']
  return Object.fromEntries(Object.entries(schema).map(([key, item]) => [key, shortened(item)]))
}

/** How descriptions of what a program wrote begin. */
const untrusted = /^Untrusted\b/

function isReference(description: string): boolean {
  return referredShapes.some(({ text }) => description.endsWith(text))
}

function simplified(node: unknown, anyJson: readonly string[]): unknown {
  if (Array.isArray(node)) return node.map((item) => simplified(item, anyJson))
  if (typeof node !== 'object' || node === null) return node
  const schema = { ...node } as JsonSchema
  if (typeof schema['$ref'] === 'string' && anyJson.includes(schema['$ref'])) delete schema['$ref']
  if (schema['minimum'] === Number.MIN_SAFE_INTEGER) delete schema['minimum']
  if (schema['maximum'] === Number.MAX_SAFE_INTEGER) delete schema['maximum']
  if (schema['format'] === 'date-time') delete schema['pattern']
  if (isPlainString(schema['propertyNames'])) delete schema['propertyNames']
  const simple: JsonSchema = Object.fromEntries(
    Object.entries(withSingleType(schema)).map(([key, item]) => [key, simplified(item, anyJson)]),
  )
  // An object whose values may be anything is spelled the usual way.
  if (JSON.stringify(simple['additionalProperties']) === '{}') simple['additionalProperties'] = true
  return simple
}

/** Some clients know only a single `type`: "number or null" becomes two branches. */
function withSingleType(schema: JsonSchema): JsonSchema {
  const { type, description, ...rest } = schema
  if (!Array.isArray(type)) return schema
  const branches = type.map((single: unknown) => (single === 'null' ? { type: single } : { type: single, ...rest }))
  return { ...(description === undefined ? {} : { description }), anyOf: branches }
}

function isPlainString(schema: unknown): boolean {
  return typeof schema === 'object' && schema !== null && JSON.stringify(schema) === '{"type":"string"}'
}
