import { z } from 'zod'
import { handlerInfo } from '../../domain/handler-info.ts'

/** What one file of the handler directory turned out to be: a line of the process that describes files. */
export const fileDescription = z.discriminatedUnion('ok', [
  z.strictObject({ ok: z.literal(true), file: z.string(), info: handlerInfo }),
  z.strictObject({ ok: z.literal(false), file: z.string(), problem: z.string() }),
])
export type FileDescription = z.infer<typeof fileDescription>

/** What that process is told, as JSON on its standard input. */
export const describeOrder = z.strictObject({
  files: z.array(z.string()),
  /** It ends itself after so long. */
  longest_ms: z.number(),
})
export type DescribeOrder = z.infer<typeof describeOrder>
