import fc from 'fast-check'
import { z } from 'zod'

type JsonSchema = Readonly<Record<string, unknown>>

/** How large random values are, and what stands where a text is free. */
export interface Sizes {
  readonly items: number
  readonly characters: number
}

/** Texts as programs print them: long lines, escapes, invisible characters, half characters. */
function text(characters: number): fc.Arbitrary<string> {
  const piece = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.constantFrom('\u001b[31m', '\u0007', '\u202e', '\u200b', '\r\n', '"', '\\', '\ud800', 'ä', '🜁'),
    fc.constant('error: boom '),
  )
  const short = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(''))
  const long = fc.tuple(piece, fc.integer({ min: 0, max: characters })).map(([part, length]) => {
    const base = part === '' ? 'x' : part
    return base.repeat(Math.ceil(length / base.length)).slice(0, length)
  })
  return fc.oneof({ arbitrary: short, weight: 3 }, { arbitrary: long, weight: 1 })
}

/** Texts that are arguments of later calls have the length that real ones have. */
const argumentKeys = /^(cursor|next_cursor|missing|id|next)$/

function ofString(schema: JsonSchema, key: string, sizes: Sizes): fc.Arbitrary<unknown> {
  if (Array.isArray(schema['enum'])) return fc.constantFrom(...(schema['enum'] as unknown[]))
  if (schema['format'] === 'date-time') return fc.constant('2031-05-04T22:00:00.000Z')
  if (typeof schema['pattern'] === 'string') return fc.stringMatching(new RegExp(schema['pattern']), { size: 'small' })
  if (argumentKeys.test(key)) return fc.string({ unit: 'grapheme-ascii', maxLength: 80 })
  const most = Number(schema['maxLength'] ?? sizes.characters)
  return text(most).map((value) => value.slice(0, most))
}

function ofJson(sizes: Sizes): fc.Arbitrary<unknown> {
  const leaf = fc.oneof(text(sizes.characters), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constant(null))
  const list = fc.array(leaf, { maxLength: sizes.items })
  const record = fc.dictionary(fc.string({ unit: 'binary', maxLength: 30 }), fc.oneof(leaf, list), {
    maxKeys: sizes.items,
  })
  return fc.oneof(leaf, list, record)
}

function of(schema: JsonSchema, root: JsonSchema, key: string, sizes: Sizes): fc.Arbitrary<unknown> {
  const inner = (other: unknown, name = key) => of(other as JsonSchema, root, name, sizes)
  if (typeof schema['$ref'] === 'string') return ofJson(sizes)
  if ('const' in schema) return fc.constant(schema['const'])
  const branches = schema['anyOf'] ?? schema['oneOf']
  if (Array.isArray(branches)) return fc.oneof(...branches.map((branch) => inner(branch)))
  const { type } = schema
  if (Array.isArray(type)) return fc.oneof(...type.map((one: unknown) => inner({ ...schema, type: one })))
  switch (type) {
    case 'string':
      return ofString(schema, key, sizes)
    case 'integer':
    case 'number': {
      const above = schema['exclusiveMinimum']
      const min = typeof above === 'number' ? above + 1 : Number(schema['minimum'] ?? 0)
      const max = Math.min(Number(schema['maximum'] ?? 1e9), 1e9)
      return fc.integer({ min: Math.ceil(min), max: Math.floor(max) })
    }
    case 'boolean':
      return fc.boolean()
    case 'null':
      return fc.constant(null)
    case 'array':
      return fc.array(inner(schema['items']), { maxLength: sizes.items, size: 'max' })
    case 'object': {
      const properties = Object.entries((schema['properties'] ?? {}) as Record<string, JsonSchema>)
      if (properties.length === 0) {
        const values = schema['additionalProperties']
        const value = typeof values === 'object' && values !== null ? inner(values) : ofJson(sizes)
        return fc.dictionary(fc.string({ minLength: 1, maxLength: 30 }), value, { maxKeys: Math.min(30, sizes.items) })
      }
      return fc.record(Object.fromEntries(properties.map(([name, value]) => [name, inner(value, name)])), {
        requiredKeys: (schema['required'] ?? []) as string[],
      })
    }
    default:
      return ofJson(sizes)
  }
}

/** @returns random values that a schema accepts. */
export function arbitraryOf(schema: z.ZodType, sizes: Sizes): fc.Arbitrary<unknown> {
  const root = z.toJSONSchema(schema, { io: 'output' }) as JsonSchema
  return of(root, root, '', sizes)
}
