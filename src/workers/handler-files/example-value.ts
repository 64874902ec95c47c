import type { Json, JsonObject } from '../../domain/job.ts'

const deepest = 8

const formats: Readonly<Record<string, string>> = {
  date: '2031-05-04',
  'date-time': '2031-05-04T22:00:00Z',
  duration: 'PT30S',
  email: 'someone@example.org',
  hostname: 'example.org',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
  time: '22:00:00',
  uri: 'https://example.org/',
  uuid: '018f4c2e-7f3a-7c1e-9b1a-3d5f6a7b8c9d',
}

/** @returns a small value for a JSON Schema: defaults, the first of several values, the smallest number, "text" */
export function exampleValue(schema: JsonObject, root: JsonObject = schema, depth = 0): Json {
  const [first] = listOf(schema['examples'])
  if (first !== undefined) return first
  for (const key of ['default', 'const']) {
    const value = schema[key]
    if (value !== undefined) return value
  }
  const [choice] = listOf(schema['enum'])
  if (choice !== undefined) return choice
  if (depth > deepest) return null
  const inner = (value: Json | undefined) => exampleValue(resolved(value, root), root, depth + 1)
  if (schema['$ref'] !== undefined) return inner(schema)
  const [alternative] = [...listOf(schema['anyOf']), ...listOf(schema['oneOf'])]
  if (alternative !== undefined) return inner(alternative)
  const parts = listOf(schema['allOf'])
  if (parts.length > 0) return merged(parts.map(inner))
  return plainValue(schema, inner)
}

function plainValue(schema: JsonObject, inner: (value: Json | undefined) => Json): Json {
  const type = Array.isArray(schema['type']) ? schema['type'][0] : schema['type']
  switch (type) {
    case 'object':
      return objectValue(schema, inner)
    case 'array': {
      const tuple = listOf(schema['prefixItems'])
      if (tuple.length > 0) return tuple.map(inner)
      return Array.from({ length: Math.max(1, numberOf(schema['minItems']) ?? 1) }, () => inner(schema['items'] ?? {}))
    }
    case 'integer':
    case 'number':
      return smallestNumber(schema)
    case 'boolean':
      return true
    case 'null':
      return null
    default:
      return textValue(schema)
  }
}

/** What must be given, and what has a default. */
function objectValue(schema: JsonObject, inner: (value: Json | undefined) => Json): JsonObject {
  const required = listOf(schema['required'])
  const entries = Object.entries(objectOf(schema['properties'])).filter(
    ([key, property]) => required.includes(key) || objectOf(property)['default'] !== undefined,
  )
  return Object.fromEntries(entries.map(([key, property]) => [key, inner(property)]))
}

function smallestNumber(schema: JsonObject): number {
  const step = numberOf(schema['multipleOf']) ?? 1
  const above = numberOf(schema['exclusiveMinimum'])
  const below = numberOf(schema['exclusiveMaximum'])
  const most = numberOf(schema['maximum']) ?? (below === undefined ? undefined : below - step)
  const least = above === undefined ? numberOf(schema['minimum']) : above + step
  // The bound of every whole number says nothing.
  if (least === undefined || least <= Number.MIN_SAFE_INTEGER) return Math.min(step, most ?? step)
  // Between 0 and 1 there is no whole step.
  if (most !== undefined && most < least) return ((above ?? least) + (below ?? most)) / 2
  return Math.ceil(least / step) * step + 0
}

function textValue(schema: JsonObject): string {
  const format = formats[String(schema['format'])]
  if (format !== undefined) return format
  const least = numberOf(schema['minLength']) ?? 0
  const longest = numberOf(schema['maxLength']) ?? Number.POSITIVE_INFINITY
  return 'text'.padEnd(Math.min(least, 1000), 'x').slice(0, longest)
}

function merged(values: readonly Json[]): Json {
  const [first = null] = values
  return values.every(isObject) ? Object.assign({}, ...values) : first
}

function resolved(value: Json | undefined, root: JsonObject): JsonObject {
  const schema = objectOf(value)
  const reference = schema['$ref']
  if (typeof reference !== 'string') return schema
  if (reference === '#') return root
  const name = /^#\/\$defs\/(.+)$/.exec(reference)?.[1]
  return name === undefined ? {} : objectOf(objectOf(root['$defs'])[name])
}

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : []
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function objectOf(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {}
}

function numberOf(value: Json | undefined): number | undefined {
  return typeof value === 'number' ? value : undefined
}
