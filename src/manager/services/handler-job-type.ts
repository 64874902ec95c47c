import { z } from 'zod'
import type { AvailableHandler } from '../../domain/handler-info.ts'
import type { Json, JsonObject } from '../../domain/job.ts'
import { invalidInput } from '../../domain/wire/invalid-input.ts'
import type { JobType } from './job-types.ts'

/**
 * Makes a job type of a handler. What is given is checked here by its JSON Schema, so that a typing error is told at once; the
 * thread checks it again by the handler's own schema, which may say more than JSON Schema can.
 */
export function handlerJobType({ info }: AvailableHandler): JobType {
  const paramsSchema = schemaOf(info.params_schema)
  const unitSchema = info.unit_schema === null ? null : schemaOf(info.unit_schema)
  const example = info.example['params']
  return {
    type: info.type,
    title: info.title,
    description: info.description,
    executor: 'thread',
    paramsSchema,
    example: isObject(example) ? example : {},
    defaults: info.defaults,
    gpu: info.gpu,
    hasTemplates: false,
    needsUnits: info.unit_required,
    checkUnit:
      unitSchema === null
        ? null
        : (unit, name) => {
            const parsed = unitSchema.safeParse(unit)
            if (!parsed.success) throw invalidInput(parsed.error, { schema: unitSchema, value: unit, prefix: name })
          },
    prepare(params, { environment, cwd }) {
      const parsed = paramsSchema.safeParse(params)
      if (!parsed.success) throw invalidInput(parsed.error, { schema: paramsSchema, value: params, prefix: 'params' })
      return { name: info.title, context: { environment, cwd } }
    },
    mergeParams: (first, overrides) => ({ ...first, ...overrides }),
  }
}

function schemaOf(jsonSchema: JsonObject): z.ZodType {
  return z.fromJSONSchema(jsonSchema as Parameters<typeof z.fromJSONSchema>[0])
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
