import type { z } from 'zod'
import type { HandlerDefinition } from '../../../handler/define-handler.ts'
import { type Failure, failure } from '../failure.ts'
import type { AttemptRun } from './attempt-run.ts'
import type { CheckedInput } from './handler-context.ts'

type Parsed = Awaited<ReturnType<z.ZodType['safeParseAsync']>>

/** A schema whose checks need to be waited for says so when it is used without. */
export function parseWith(schema: z.ZodType, value: unknown): Parsed | Promise<Parsed> {
  try {
    return schema.safeParse(value)
  } catch (error) {
    if ((error as Error | null)?.constructor?.name !== '$ZodAsyncError') throw error
    return schema.safeParseAsync(value)
  }
}

/** @returns what the handler gets, or how the attempt ends because it does not fit */
export async function checkInput(handler: HandlerDefinition, attempt: AttemptRun): Promise<CheckedInput | Failure> {
  const { item, job } = attempt
  const given = job.params()
  const params = await parseWith(handler.params, given)
  if (!params.success) return refused('params', handler.params, given, params.error)
  let unit: unknown = item.unit
  // A final step has none, but all results.
  if (handler.unit !== undefined && item.results_file === undefined) {
    const parsed = await parseWith(handler.unit, item.unit)
    if (!parsed.success) return refused('unit', handler.unit, item.unit, parsed.error)
    unit = parsed.data
  }
  return { params: params.data, unit, lastCheckpoint: await checkpointFor(handler.checkpoint, attempt) }
}

/** One that does not fit any more was left by another version of the handler: the attempt starts from nothing. */
async function checkpointFor(schema: z.ZodType | undefined, attempt: AttemptRun): Promise<unknown> {
  const state = attempt.item.checkpoint ?? null
  if (schema === undefined || state === null) return state
  const parsed = await parseWith(schema, state)
  if (parsed.success) return parsed.data
  const text = await sentencesOf('checkpoint', schema, state, parsed.error)
  attempt.output.write(
    Buffer.from(`nightkiln: the last checkpoint does not fit, so this starts from nothing: ${text}\n`),
  )
  return null
}

async function refused(name: string, schema: z.ZodType, value: unknown, error: z.ZodError): Promise<Failure> {
  const text = await sentencesOf(name, schema, value, error)
  return failure('handler_rejected', text, 'never')
}

export async function sentencesOf(
  prefix: string,
  schema: z.ZodType,
  value: unknown,
  error: z.ZodError,
): Promise<string> {
  // Loaded only when something is wrong.
  const { issueSentences } = await import('../../../domain/wire/invalid-input.ts')
  return issueSentences(error.issues, { schema, value, prefix })
}
