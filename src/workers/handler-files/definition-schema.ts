import { z } from 'zod'
import { QueueError } from '../../domain/errors.ts'
import { handlerInfo } from '../../domain/handler-info.ts'
import { compileTemplate } from '../../domain/template.ts'
import { issueSentences } from '../../domain/wire/invalid-input.ts'
import type { HandlerDefinition } from '../../handler/define-handler.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const most = 10_000
const longestFormat = 100

/** @returns the error that says why a handler cannot be used */
export function unusable(sentence: string): QueueError {
  return new QueueError('handler_unavailable', sentence)
}

const schema = z.custom<z.ZodType>().superRefine((value: unknown, issue) => {
  const message = schemaProblem(value)
  if (message !== null) issue.addIssue({ code: 'custom', message })
})

function schemaProblem(value: unknown): string | null {
  if (value === undefined) return 'is missing; write a schema such as z.object({ name: z.string() })'
  if (typeof value !== 'object' || value === null || !('_def' in value || '_zod' in value))
    return 'must be a schema such as z.object({ name: z.string() }), with z from "nightkiln/handler"'
  return '_zod' in value ? null : 'is a schema of zod 3; take z from "nightkiln/handler"'
}

const run = z.unknown().refine((value) => typeof value === 'function', 'must be a function: run({ params }) { … }')

const milliseconds = (maximum: number) => z.number().positive().max(maximum).optional()
const text = (longest: number) => z.string().trim().min(1).max(longest)

/** The limits are those of submit_job, so that a default never makes a submit fail. */
const definitionSchema = z.strictObject({
  type: handlerInfo.shape.type,
  title: text(200),
  description: text(4000),
  params: schema,
  unit: schema.optional(),
  result: schema,
  checkpoint: schema.optional(),
  example: z.record(z.string(), z.unknown()).optional(),
  concurrency: z.int().min(1).max(most).optional(),
  gpu: z.enum(['never', 'prefer', 'require']).optional(),
  version: text(64).optional(),
  checkpointFormat: text(longestFormat).optional(),
  onLeaseEnd: z.enum(['finish', 'cancel']).optional(),
  runsOnCpu: z.boolean().optional(),
  gpuMemoryMegabytes: z.int().min(1).max(1_048_576).optional(),
  retry: z
    .strictObject({
      maxAttempts: z.int().min(1).max(100).optional(),
      initialMs: milliseconds(hourMs),
      maxMs: milliseconds(dayMs),
      factor: z.number().min(1).max(10).optional(),
    })
    .optional(),
  timeouts: z
    .strictObject({
      unitMs: milliseconds(7 * dayMs),
      idleMs: milliseconds(7 * dayMs),
      totalMs: milliseconds(30 * dayMs),
    })
    .optional(),
  perKey: z
    .strictObject({
      key: z.string().min(1).max(500),
      concurrency: z.int().min(1).max(most).optional(),
      rateLimit: z
        .strictObject({ count: z.int().min(1).max(100_000), intervalMs: z.number().min(10).max(dayMs) })
        .optional(),
    })
    .optional(),
  reusable: z.boolean().optional(),
  pure: z.boolean().optional(),
  memoryMegabytes: z.int().min(16).max(1_048_576).optional(),
  run,
})

/** @throws QueueError handler_unavailable naming every key that is wrong */
export function checkDefinition(definition: HandlerDefinition): void {
  const value = Object.fromEntries(Object.entries(definition).filter(([, each]) => each !== undefined))
  const parsed = definitionSchema.safeParse(value)
  if (!parsed.success)
    throw unusable(issueSentences(parsed.error.issues, { schema: definitionSchema, value, keyNoun: 'key' }))
  checkGpu(parsed.data)
  const { perKey } = parsed.data
  if (perKey === undefined) return
  checkKey(perKey.key)
  if (perKey.concurrency === undefined && perKey.rateLimit === undefined)
    throw unusable('perKey has neither concurrency nor rateLimit; say what units with the same key share')
}

function checkGpu({ type, version = '1', checkpointFormat, gpu, runsOnCpu }: z.output<typeof definitionSchema>): void {
  if (checkpointFormat === undefined && `${type}/${version}`.length > longestFormat)
    throw unusable('type and version are together too long for a checkpoint format; give a short checkpointFormat')
  if (runsOnCpu !== false || gpu === 'require') return
  if (gpu === 'prefer')
    throw unusable(`gpu is "prefer", but runsOnCpu is false: it cannot fall back; say gpu: 'require'`)
  const said = gpu === undefined ? 'gpu is left out, which means "never"' : 'gpu is "never"'
  throw unusable(`${said}, but runsOnCpu is false: it could run nowhere; say gpu: 'require'`)
}

function checkKey(key: string): void {
  try {
    compileTemplate(key, { name: 'perKey.key', roots: ['unit'], aliases: [] })
  } catch (error) {
    throw unusable((error as Error).message)
  }
}
