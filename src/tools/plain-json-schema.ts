import { z } from 'zod'

/** A JSON Schema as listed by a tool. */
export interface PlainJsonSchema extends Record<string, unknown> {
  readonly type: 'object'
}

type JsonSchema = Record<string, unknown>

/**
 * JSON Schema that is read by models and valid in draft-07 as in 2020-12: without the noise of its generator, such as
 * bounds of the integers, the pattern behind a date-time, and a recursive definition of "any JSON".
 */
export function plainJsonSchema(schema: z.ZodType, direction: 'input' | 'output'): PlainJsonSchema {
  const { $schema: _dialect, $defs: definitions, ...root } = z.toJSONSchema(schema, { io: direction }) as JsonSchema
  const anyJson = Object.entries((definitions ?? {}) as Record<string, JsonSchema>)
    .filter(([, definition]) => Array.isArray(definition['anyOf']))
    .map(([name]) => `#/$defs/${name}`)
  return simplified(root, anyJson) as PlainJsonSchema
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
