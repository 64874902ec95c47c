import { z } from 'zod'
import { type PriorityName, priorities } from '../states.ts'
import { conciseJobView, jobId, jsonObject, label, next, reservedKeyOf, timestamp } from './shared.ts'

const seconds = (maximum: number) => z.number().positive().max(maximum)
const week = 7 * 24 * 3600

/** What the submitting client knows of itself; captured at submit (DESIGN §10.5). */
export const submitContext = z.strictObject({
  /** Base environment, allow-listed by the client. */
  environment: z.record(z.string(), z.string()),
  /** The client's own working directory; null when it is `/` or HOME and so says nothing. */
  cwd: z.string().nullable(),
  submitted_by: z.string().max(200),
})
export type SubmitContext = z.infer<typeof submitContext>

export const idempotencyKey = z
  .string()
  .min(1)
  .max(200)
  .describe('Repeat the same key and content after a lost answer: you get the same job, never a second one')

const jobParams = z.preprocess((params: z.input<typeof jsonObject>, issue) => {
  const key = reservedKeyOf(params?.['env'])
  if (key !== undefined)
    issue.addIssue({ code: 'custom', path: ['env', key], message: 'is not a possible name of a variable' })
  return params
}, jsonObject)

/** What a person or a model may say; the tool's input schema. */
export const submitInput = z.strictObject({
  type: z.string().min(1).max(64).default('command').describe('Job type; list_job_types shows them'),
  params: jobParams.describe(
    'Parameters of the type; for "command": argv, or shell: true with script; cwd, env, stdin',
  ),
  name: z.string().min(1).max(200).optional().describe('For people; made from the command when left out'),
  labels: label.optional(),
  queue: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,64}$/, 'must be a queue name: 1 to 64 letters, digits, ".", "_" or "-"')
    .optional(),
  priority: z.enum(Object.keys(priorities) as [PriorityName, ...PriorityName[]]).optional(),
  run_at: timestamp
    .optional()
    .describe('Not started before; ISO 8601 with a zone, such as 2031-05-04T22:00:00Z or 2031-05-04T22:00:00+02:00'),
  max_attempts: z.int().min(1).max(100).optional().describe('Default 1: a non-zero exit is not retried'),
  backoff: z
    .strictObject({
      initial_s: seconds(3600).optional(),
      max_s: seconds(24 * 3600).optional(),
      factor: z.number().min(1).max(10).optional(),
    })
    .optional(),
  rerun_when_lost: z
    .boolean()
    .optional()
    .describe('Default true: run again when the machine or its processes vanished'),
  timeout_s: seconds(week).optional().describe('Per attempt; awake time'),
  idle_timeout_s: seconds(week).optional().describe('Longest silence of the output'),
  cancel_grace_s: z.number().min(0).max(60).optional().describe('Between TERM and KILL; default 3'),
  max_output_bytes: z
    .int()
    .min(4096)
    .max(1024 ** 3)
    .optional()
    .describe('Kept head and tail of the output; default 10 MiB'),
  idempotency_key: idempotencyKey.optional(),
})
export type SubmitInput = z.infer<typeof submitInput>

export const submitRequest = submitInput.extend({ idempotency_key: idempotencyKey, context: submitContext })
export type SubmitRequest = z.infer<typeof submitRequest>

export const submitAnswer = z.strictObject({
  id: jobId,
  existing: z.boolean().describe('True when the idempotency key was used before: this is that job'),
  submitted_at: timestamp,
  job: conciseJobView,
  notes: z.array(z.string()).describe('What will happen: retries, limits, fallbacks'),
  next,
})
export type SubmitAnswer = z.infer<typeof submitAnswer>

export const rerunInput = z.strictObject({
  id: jobId,
  overrides: submitInput
    .omit({ type: true, idempotency_key: true, params: true })
    .extend({ params: jobParams.optional().describe('Merged over the parameters of the first run, key by key') })
    .partial()
    .optional(),
  idempotency_key: idempotencyKey.optional(),
})
export const rerunRequest = rerunInput.extend({ idempotency_key: idempotencyKey, context: submitContext })
export type RerunRequest = z.infer<typeof rerunRequest>

/** Parameters of the job type `command`. */
export const commandParams = z
  .strictObject({
    argv: z.array(z.string()).min(1).max(10_000).optional().describe('Program and arguments, no shell'),
    shell: z.boolean().optional().describe('True: run `script` with /bin/sh -c'),
    script: z.string().min(1).optional().describe('Shell script; only with shell: true'),
    cwd: z.string().min(1).max(4096).optional().describe("Absolute working directory; default: the client's own"),
    env: z
      .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'is not an environment variable name'), z.string())
      .optional(),
    stdin: z.string().optional(),
    success_exit_codes: z.array(z.int().min(0).max(255)).min(1).max(256).optional().describe('Default [0]'),
  })
  .superRefine((params, issue) => {
    const texts = [...(params.argv ?? []), params.script ?? '', params.cwd ?? '', ...Object.values(params.env ?? {})]
    if (texts.some((text) => text.includes('\0')))
      issue.addIssue({ code: 'custom', message: 'contains a NUL character, which no program can receive' })
    if (params.shell === true) {
      if (params.script === undefined)
        issue.addIssue({ code: 'custom', path: ['script'], message: 'is required with shell: true' })
      if (params.argv !== undefined)
        issue.addIssue({ code: 'custom', path: ['argv'], message: 'cannot be given together with shell: true' })
    } else {
      if (params.argv === undefined)
        issue.addIssue({ code: 'custom', path: ['argv'], message: 'is required (or shell: true with script)' })
      if (params.script !== undefined)
        issue.addIssue({ code: 'custom', path: ['script'], message: 'needs shell: true' })
    }
  })
export type CommandParams = z.infer<typeof commandParams>
