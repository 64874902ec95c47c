import { z } from 'zod'
import { type ErrorCode, errorCodes } from './errors.ts'
import { mostUnits, unitSource } from './wire/units.ts'

/** A unit larger than this belongs into a file, with its path as the unit. */
export const largestUnitBytes = 1024 * 1024
/** Of the units of one source, as lines of JSON. */
export const spoolLimits = { items: mostUnits, itemBytes: largestUnitBytes, bytes: 1024 * 1024 * 1024 } as const

/** What the enumerator process reads on stdin, as JSON. */
export const enumerationOrder = z.strictObject({
  source: unitSource,
  /** Directory of the job: where a glob without root looks. Null: it has none. */
  cwd: z.string().nullable(),
  /** Where the units go: one JSON value a line. */
  file: z.string(),
  /** It ends itself then, in case nobody is left to end it. */
  limit_ms: z.int(),
})
export type EnumerationOrder = z.infer<typeof enumerationOrder>

/** What it prints: one line of JSON. */
export const enumerationAnswer = z.discriminatedUnion('ok', [
  z.strictObject({ ok: z.literal(true), total: z.int(), first: z.json() }),
  z.strictObject({
    ok: z.literal(false),
    code: z.enum(errorCodes as [ErrorCode, ...ErrorCode[]]),
    message: z.string(),
    remedy: z.string(),
  }),
])
export type EnumerationAnswer = z.infer<typeof enumerationAnswer>
