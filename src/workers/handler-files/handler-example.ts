import type { z } from 'zod'
import type { Json, JsonObject } from '../../domain/job.ts'
import { issueSentences } from '../../domain/wire/invalid-input.ts'
import { submitInput } from '../../domain/wire/submit.ts'
import type { HandlerDefinition } from '../../handler/define-handler.ts'
import { jsonProblem } from '../../handler/json-problem.ts'
import { unusable } from './definition-schema.ts'
import { exampleValue } from './example-value.ts'

/**
 * The example of a handler: its own, checked as a submit would check it, else one that is made from its schemas.
 * @returns it as submit_job takes it, without type; empty when none could be made that fits
 * @throws QueueError handler_unavailable when its own does not fit
 */
export function exampleOf(
  definition: HandlerDefinition,
  schemas: { readonly params: JsonObject; readonly unit: JsonObject | null },
): JsonObject {
  const { example } = definition
  if (example !== undefined) return checkedExample(definition, example)
  const unit = schemas.unit === null || mayBeLeftOut(definition.unit) ? undefined : exampleValue(schemas.unit)
  const made = { params: exampleValue(schemas.params), ...(unit === undefined ? {} : { units: [unit] }) }
  return exampleProblem(definition, made) === null ? (made as JsonObject) : {}
}

function checkedExample(definition: HandlerDefinition, example: Readonly<Record<string, unknown>>): JsonObject {
  const flaw = jsonProblem(example, 'example')
  if (flaw !== null) throw unusable(flaw)
  const value = JSON.parse(JSON.stringify({ params: {}, ...example })) as JsonObject
  const problem = exampleProblem(definition, value)
  if (problem !== null) throw unusable(problem)
  return value
}

function exampleProblem(definition: HandlerDefinition, value: Readonly<Record<string, Json>>): string | null {
  if ('type' in value) return 'example has a type of its own; leave it out'
  const submitted = submitInput.safeParse({ ...value, type: definition.type })
  if (!submitted.success)
    return issueSentences(submitted.error.issues, { schema: submitInput, value, prefix: 'example' })
  const wrong = misfit(definition.params, value['params'], 'example.params')
  if (wrong !== null || definition.unit === undefined) return wrong
  const { unit } = definition
  const units = value['units']
  if (Array.isArray(units)) {
    for (const [position, each] of units.entries()) {
      const problem = misfit(unit, each, `example.units.${position}`)
      if (problem !== null) return problem
    }
    return null
  }
  return value['source'] !== undefined || mayBeLeftOut(unit)
    ? null
    : 'example has no units, though the handler declares a unit: add units: [ … ]'
}

function misfit(schema: z.ZodType, value: Json | undefined, prefix: string): string | null {
  const error = errorOf(schema, value)
  return error === null ? null : issueSentences(error.issues, { schema, value, prefix })
}

function mayBeLeftOut(unit: z.ZodType | undefined): boolean {
  return unit === undefined || errorOf(unit, undefined) === null
}

function errorOf(schema: z.ZodType, value: unknown): z.ZodError | null {
  try {
    return schema.safeParse(value).error ?? null
  } catch {
    // Its checks need to be waited for: the thread does.
    return null
  }
}
