import { z } from 'zod'
import type { JsonObject } from '../../domain/job.ts'
import { unusable } from './definition-schema.ts'

/** What no value of JSON is, with what to write instead. */
const impossible: Readonly<Record<string, string>> = {
  bigint: 'z.bigint(); write z.coerce.bigint() or z.int()',
  date: 'z.date(); write z.coerce.date()',
  function: 'a function',
  map: 'z.map(); write z.record()',
  nan: 'z.nan()',
  promise: 'a promise',
  set: 'z.set(); write z.array()',
  symbol: 'z.symbol()',
}

/**
 * What may be given: the JSON Schema of the input, before defaults and transforms.
 * @param name as in the definition
 * @throws QueueError handler_unavailable when no JSON could fit it
 */
export function inputSchema(schema: z.ZodType, name: 'params' | 'unit'): JsonObject {
  const json = jsonSchema(schema, name, 'input', (def, path) => {
    const problem = def.coerce === true ? undefined : impossible[def.type]
    if (problem !== undefined && !path.includes('anyOf'))
      throw unusable(
        `${[name, ...path.filter((key) => key !== 'properties')].join('.')} is ${problem}, which JSON does not have`,
      )
    // It takes texts and numbers; the example says more than a type could.
    return def.type === 'date' ? { examples: ['2031-05-04T22:00:00Z'] } : {}
  })
  if (name === 'params' && (json['type'] ?? 'object') !== 'object')
    throw unusable(
      `params is a schema of type "${String(json['type'])}", but must be an object such as z.object({ … })`,
    )
  return json
}

/** What a result looks like once it is stored: the JSON Schema of the output. */
export function outputSchema(schema: z.ZodType): JsonObject {
  return jsonSchema(schema, 'result', 'output', (def) =>
    def.type === 'date' ? { type: 'string', format: 'date-time' } : {},
  )
}

interface Definition {
  readonly type: string
  readonly coerce?: boolean
}

function jsonSchema(
  schema: z.ZodType,
  name: string,
  io: 'input' | 'output',
  represent: (def: Definition, path: readonly string[]) => Record<string, unknown>,
): JsonObject {
  try {
    const json = z.toJSONSchema(schema, {
      io,
      unrepresentable: ({ zodSchema, path }) =>
        represent(zodSchema._zod.def, path.map(String)) as z.core.JSONSchema.BaseSchema,
    })
    const { $schema: _, ...kept } = JSON.parse(JSON.stringify(json)) as JsonObject
    // The manager checks what is submitted by this very schema.
    z.fromJSONSchema(kept as Parameters<typeof z.fromJSONSchema>[0])
    return kept
  } catch (error) {
    if (error instanceof Error && error.name === 'QueueError') throw error
    throw unusable(`${name} cannot be expressed as JSON Schema: ${(error as Error).message}`)
  }
}
