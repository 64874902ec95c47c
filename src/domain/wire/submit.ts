import { z } from 'zod'
import { dependencyConditions, type PriorityName, priorities } from '../states.ts'
import { gpuFallbacks, gpuPreferences } from './gpu.ts'
import { jsonObject } from './json-value.ts'
import { conciseJobView, jobId, label, next, queueName, rateLimit, reservedKeyOf, timestamp } from './shared.ts'
import { unitList, unitSource } from './units.ts'

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

const alias = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,31}$/, 'must be a name such as "fit"')

/** Jobs to wait for: ids, or objects that also name them and say what they wait for. */
export const dependencies = z
  .array(
    z.union([
      jobId,
      z.strictObject({
        id: jobId,
        as: alias.optional().describe('Its name in placeholders: {{fit.result.value}}'),
        condition: z
          .enum(dependencyConditions)
          .default('completed')
          .describe('"completed": when it fails or is cancelled, this job is cancelled; "ended": this job runs anyway'),
      }),
    ]),
  )
  .min(1)
  .max(100)

/** A placeholder text such as "{{unit.host}}". */
const template = z.string().min(1).max(500)

const exitCodes = z.array(z.int().min(0).max(255)).max(256)

/** What a person or a model may say; the tool's input schema. */
export const submitInput = z.strictObject({
  type: z.string().min(1).max(64).default('command').describe('Job type; list_job_types shows them'),
  params: jobParams.describe(
    'Parameters of the type; for "command": argv, or shell: true with script; cwd, env, stdin',
  ),
  name: z.string().min(1).max(200).optional().describe('For people; made from the command when left out'),
  labels: label.optional(),
  queue: queueName.optional(),
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
  retry_on: z
    .array(z.enum(['exit_code', 'timeout']))
    .optional()
    .describe('Failures that are retried while max_attempts allows; default both'),
  retry_exit_codes: exitCodes.optional().describe('Only these exit codes are retried; default all'),
  rejected_exit_codes: exitCodes.optional().describe('Never retried: the input is bad'),
  rate_limited: z
    .strictObject({
      exit_codes: exitCodes.optional(),
      text: z.string().min(1).max(200).optional().describe('Literal text in its last output, such as "429"'),
      wait_s: seconds(24 * 3600)
        .default(60)
        .describe('When its output has no line "retry-after: 30" (seconds or a time)'),
    })
    .optional()
    .describe(
      'How the command says that it was told to slow down: its queue, or its key, waits; nothing counts as a failure',
    ),
  units: unitList
    .min(1)
    .optional()
    .describe('Run once for each value; {{unit}} or {{unit.key}} in argv, env, cwd, stdin'),
  source: unitSource.optional().describe('Instead of units: they are enumerated by the manager'),
  unit_key: template.optional().describe('Units with the same key are added once; such as {{unit.url}}'),
  concurrency: z.int().min(1).max(10_000).optional().describe('Units of this job at once'),
  per_key: z
    .strictObject({
      key: template.describe('Such as {{unit.host}}'),
      concurrency: z.int().min(1).max(10_000).optional(),
      rate_limit: rateLimit.optional(),
    })
    .optional()
    .describe('Limits of units that share a key, over all jobs of the queue'),
  test_first: z.int().min(1).max(1000).optional().describe('Run so many units, then wait for decide_job'),
  max_failed_units: z.int().min(0).optional().describe('So many may fail: the job still completes, with failures'),
  max_failed_percent: z.number().min(0).max(100).optional().describe('Instead: a share of all units'),
  stop_early: z
    .boolean()
    .optional()
    .describe('Cancel the rest once too many failed; default true with a maximum, else false'),
  final_step: z
    .strictObject({ params: jobParams })
    .optional()
    .describe(
      'A command that runs when all units have ended; NIGHTKILN_RESULTS names a file with one JSON line a unit',
    ),
  keep_open: z.boolean().optional().describe('Units may be added (add_units) until it is closed'),
  depends_on: dependencies
    .optional()
    .describe('Jobs to wait for: ids, or objects that name them and what they wait for'),
  total_timeout_s: seconds(30 * 24 * 3600)
    .optional()
    .describe('Of the whole job; awake time, pauses excluded'),
  timeout_s: seconds(week).optional().describe('Per attempt; awake time'),
  idle_timeout_s: seconds(week).optional().describe('Longest silence of the output'),
  cancel_grace_s: z.number().min(0).max(60).optional().describe('Between TERM and KILL; default 3'),
  max_output_bytes: z
    .int()
    .min(4096)
    .max(1024 ** 3)
    .optional()
    .describe('Kept head and tail of the output; default 10 MiB'),
  gpu: z
    .enum(gpuPreferences)
    .optional()
    .describe('Run at a GPU worker: "prefer" falls back to this machine, "require" waits; default as the type says'),
  gpu_fallback: z
    .enum(gpuFallbacks)
    .optional()
    .describe('With "prefer", once a worker is lost: "after_lease" (default), "immediate" (pure types only), "never"'),
  gpu_wait_s: seconds(30 * 24 * 3600)
    .optional()
    .describe('Longest wait for a place at a worker; default 60, with "require" 24 h; then it falls back or fails'),
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
  only: z
    .enum(['failed', 'cancelled', 'failed_or_cancelled', 'not_completed'])
    .optional()
    .describe('Only the units that ended so; "not_completed": also those that a cancel left unadded. Default all'),
  units: z.array(z.int().min(0)).min(1).max(10_000).optional().describe('Only the units at these positions'),
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
    interactive: z.boolean().optional().describe('True: stdin stays open for send_input'),
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
