import { z } from 'zod'
import { jobFilter } from './jobs.ts'
import { jobId, next } from './shared.ts'

export const deleteRequest = z.strictObject({
  ids: z.array(jobId).min(1).max(50).optional(),
  filter: jobFilter.optional().describe('Every finished job that matches; unfinished ones are never deleted'),
  dry_run: z.boolean().default(false).describe('True: says what would go, deletes nothing'),
})
export const deleteAnswer = z.strictObject({
  deleted: z.int(),
  ids: z.array(jobId).describe('The first of them, at most 50'),
  kept: z.array(z.strictObject({ id: jobId, why: z.string() })),
  freed_bytes: z.int(),
  dry_run: z.boolean(),
  has_more: z.boolean().describe('True: more match; call again'),
  next,
})
export type DeleteAnswer = z.infer<typeof deleteAnswer>

export const exportRequest = z.strictObject({
  ids: z.array(jobId).min(1).max(50).optional(),
  filter: jobFilter.optional(),
  format: z.enum(['json', 'csv', 'markdown']).default('json').describe('json: one object a line'),
  what: z.enum(['jobs', 'units']).default('jobs').describe('units: one row a unit, with input, result and error'),
  file: z
    .string()
    .min(1)
    .max(4096)
    .optional()
    .describe('Absolute path of a new file; default: a file in the exports directory of the state directory'),
})
export const exportAnswer = z.strictObject({
  file: z.string(),
  bytes: z.int(),
  rows: z.int(),
  untrusted_preview: z.string().describe('Untrusted: the first lines'),
  next,
})
export type ExportAnswer = z.infer<typeof exportAnswer>
