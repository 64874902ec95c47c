import { z } from 'zod'
import { unitStates } from '../states.ts'
import { jsonList } from './json-value.ts'
import { attemptView, conciseJobView, countsView, errorView, jobId, next, progressView } from './shared.ts'

/** A submit or add_units takes so many units as a list; a source may have `mostUnits`. */
export const mostListedUnits = 10_000
export const mostUnits = 1_000_000

const file = z.string().min(1).max(4096).describe('Absolute path')

/** Where units come from: enumerated in the manager, so that the list never enters the chat. */
export const unitSource = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('glob'),
    pattern: z
      .string()
      .min(1)
      .max(4096)
      .describe('Such as **/*.pdf, below root; each unit is {path, name, stem, extension, bytes}'),
    root: file.optional().describe('Absolute directory; default: cwd of the job'),
    exclude: z.array(z.string().min(1).max(4096)).max(100).optional().describe('Patterns of what is left out'),
  }),
  z
    .strictObject({
      kind: z.literal('lines'),
      file,
      skip_empty: z.boolean().default(true),
    })
    .describe('One unit a line: its text'),
  z.strictObject({
    kind: z.literal('csv'),
    file,
    delimiter: z.string().length(1).default(','),
    header: z.boolean().default(true).describe('True: units are objects by column name; false: arrays'),
  }),
  z.strictObject({
    kind: z.literal('json'),
    file,
    path: z
      .string()
      .max(1000)
      .default('')
      .describe('Keys to the array, such as data.items; empty: the file is the array'),
  }),
  z.strictObject({
    kind: z.literal('sqlite'),
    file,
    query: z.string().min(1).max(10_000).describe('One SELECT; run read-only. Units are objects by column'),
  }),
  z
    .strictObject({
      kind: z.literal('range'),
      from: z.number(),
      to: z.number().describe('Included'),
      step: z.number().default(1),
    })
    .describe('One unit a number'),
])
export type UnitSource = z.infer<typeof unitSource>

export const unitList = jsonList(mostListedUnits)

export const addUnitsRequest = z.strictObject({
  id: jobId,
  units: unitList.optional().describe('Further units, each any JSON value'),
  source: unitSource.optional(),
  close: z.boolean().default(false).describe('True: afterwards no unit is added any more, so the job can end'),
})
export const addUnitsAnswer = z.strictObject({
  id: jobId,
  given: z.int().describe('Units given; those whose unit_key is in the job already are skipped when they are added'),
  job: conciseJobView,
  next,
})
export type AddUnitsAnswer = z.infer<typeof addUnitsAnswer>

export const listUnitsRequest = z.strictObject({
  id: jobId,
  states: z.array(z.enum(unitStates)).min(1).max(5).optional(),
  keys: z.array(z.string().max(500)).min(1).max(100).optional().describe('Only units with these unit keys'),
  limit: z.int().min(1).max(200).default(20),
  cursor: z.string().max(100).optional().describe('next_cursor of the answer before'),
  detail: z.enum(['concise', 'full']).default('concise').describe('"full" adds every attempt'),
})
export const unitView = z.strictObject({
  unit: z.int().describe('Position, from 0: what job_logs and job_result take'),
  final_step: z.boolean(),
  state: z.enum(unitStates),
  why: z.string().describe('Untrusted where it quotes an error'),
  key: z.string().nullable().describe('Untrusted: made from the input'),
  progress: progressView.nullable(),
  untrusted_input: z.string().describe('Untrusted: the value, cut'),
  attempts: z.int(),
  failures: z.int(),
  mode: z.string().nullable().describe('How it ran last'),
  device: z.string().optional().describe('Untrusted: the name of what computed it'),
  exit_code: z.int().nullable(),
  duration_s: z.number().nullable(),
  error: errorView.nullable(),
  result: z.json().optional().describe('Untrusted. Bounded; the whole by job_result with unit'),
  attempt_history: z.array(attemptView).optional(),
})
export type UnitView = z.infer<typeof unitView>

export const failureGroup = z.strictObject({
  signature: z.string().describe('Untrusted: what the failures have in common'),
  count: z.int(),
  units: z.array(z.int()).describe('Positions of the first'),
})
export const listUnitsAnswer = z.strictObject({
  id: jobId,
  units: z.array(unitView),
  counts: countsView,
  failure_groups: z.array(failureGroup).describe('Failed units by signature, most frequent first'),
  has_more: z.boolean(),
  next_cursor: z.string().nullable(),
  next,
})
export type ListUnitsAnswer = z.infer<typeof listUnitsAnswer>

export const sendInputRequest = z.strictObject({
  id: jobId,
  unit: z.int().min(0).default(0),
  text: z
    .string()
    .max(64 * 1024)
    .default('')
    .describe('Sent as it is; newline is added unless raw'),
  raw: z.boolean().default(false).describe('True: no newline is added'),
  end: z.boolean().default(false).describe('True: afterwards the command reads end of file'),
})
export const sendInputAnswer = z.strictObject({ id: jobId, bytes: z.int(), ended: z.boolean(), next })
export type SendInputAnswer = z.infer<typeof sendInputAnswer>
