import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { isAbsolute } from 'node:path'
import ms, { type StringValue } from 'ms'
import { z } from 'zod'
import { QueueError } from '../domain/errors.ts'
import { issueSentences } from '../domain/wire/invalid-input.ts'

const duration = (fallback: StringValue) =>
  z
    .string()
    .default(fallback)
    .transform((text, context) => {
      const parsed = ms(text as StringValue)
      if (typeof parsed === 'number' && parsed >= 0) return parsed
      context.addIssue({ code: 'custom', message: 'is not a duration such as "30s" or "10m"' })
      return z.NEVER
    })

const sizeUnits: Readonly<Record<string, number>> = { b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 }

const size = (fallback: string) =>
  z
    .string()
    .default(fallback)
    .transform((text, context) => {
      const match = /^(\d+)\s*(b|kb|mb|gb)$/i.exec(text.trim())
      const factor = sizeUnits[match?.[2]?.toLowerCase() ?? '']
      if (match?.[1] !== undefined && factor !== undefined) return Number(match[1]) * factor
      context.addIssue({ code: 'custom', message: 'is not a size such as "512mb"' })
      return z.NEVER
    })

/** The configuration file: every key optional, unknown keys refused. Lengths become ms, sizes bytes. */
export const settingsSchema = z.strictObject({
  slots: z
    .int()
    .min(1)
    .max(256)
    .default(() => Math.max(2, availableParallelism()))
    .describe('Commands that run at once'),
  threads: z
    .int()
    .min(1)
    .max(64)
    .default(() => Math.max(2, availableParallelism()))
    .describe('Threads that run handlers'),
  gpu_slots: z.int().min(1).max(1_000).default(64).describe('Attempts at GPU workers at once; they hold no slot here'),
  gpu_lease: duration('60s').describe('A GPU worker that hears nothing for this long takes the manager for gone'),
  handlers: z
    .string()
    .min(1)
    .refine(isAbsolute, 'is not an absolute path')
    .optional()
    .describe('Directory of your own job types; default: handlers beside this file'),
  handler_heap: size('512mb').describe('Largest JavaScript heap of one thread, unless its handler says otherwise'),
  host_memory: size('4gb').describe(
    'Largest memory of the process that hosts the threads, buffers included; never more than half of the machine',
  ),
  host_wait: duration('30m').describe('A thread host to which no manager comes ends itself after this long'),
  terminate_wait: duration('2s').describe(
    'A thread that has not ended so long after it was told by force takes its host process with it',
  ),
  idle_exit: duration('10m').describe('The manager ends after this long with nothing to do'),
  cancel_grace: duration('3s').describe('Between TERM and KILL'),
  max_output: size('10mb').describe("Kept head and tail of one attempt's output"),
  free_space_floor: size('64mb').describe('No new jobs below this much free disk space'),
  keep_age: duration('90d').describe('Finished jobs are deleted after this long, with their logs and results'),
  keep_jobs: z
    .int()
    .min(1)
    .default(200_000)
    .describe('Beyond this many finished jobs those that ended first are deleted'),
  keep_bytes: size('5gb').describe('Beyond this much kept output and results the jobs that ended first are deleted'),
  lease: duration('30s').describe('A worker without a heartbeat for this long is checked'),
  probe_timeout: duration('700ms').describe('Longest wait for one answer when a manager is suspected to hang'),
  probe_count: z.int().min(2).max(50).default(4).describe('Unanswered probes after which it is replaced'),
  shell: z.string().default('/bin/sh').describe('POSIX shell that runs the command runner'),
  log_level: z
    .enum(['trace', 'debug', 'info', 'warn', 'error'])
    .default('info')
    .describe('Least important lines that the manager writes to its log'),
  log_max: size('8mb').describe('The log file is rotated at this size; three old ones are kept'),
})

export type Settings = Readonly<z.output<typeof settingsSchema>>

/**
 * Reads the configuration file; a missing one gives the defaults.
 * @throws QueueError config_invalid naming the file and the bad key
 */
export function readSettings(file: string): Settings {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return settingsSchema.parse({})
    throw new QueueError('config_invalid', `cannot read ${file}: ${(error as Error).message}`, { cause: error })
  }
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw new QueueError('config_invalid', `${file} is not JSON: ${(error as Error).message}`, {
      remedy: 'Correct the file, or remove it: every setting is optional.',
      cause: error,
    })
  }
  const parsed = settingsSchema.safeParse(json)
  if (parsed.success) return parsed.data
  const { issues } = parsed.error
  const problem =
    typeof json === 'object' && json !== null && !Array.isArray(json)
      ? issueSentences(issues, { schema: settingsSchema, value: json, keyNoun: 'setting' })
      : 'the file must hold an object such as {"slots":4}'
  throw new QueueError('config_invalid', `${file}: ${problem}`)
}
