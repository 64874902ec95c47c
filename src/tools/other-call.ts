import type { z } from 'zod'

type Arguments = Readonly<Record<string, unknown>>

const scheduleKeys: readonly string[] = ['cron', 'schedule', 'every_s', 'time_zone', 'start_at', 'missed', 'overlap']

/** @returns the call of schedule_job that a submit with a cron expression means; null when there is none */
export function asSchedule(args: Arguments): string | null {
  const { cron, schedule = cron, every_s } = args
  if (typeof schedule !== 'string' && typeof every_s !== 'number') return null
  const { name, idempotency_key: _key, run_at: _runAt, wait: _wait, ...rest } = args
  const job = Object.fromEntries(Object.entries(rest).filter(([key]) => !scheduleKeys.includes(key)))
  const { time_zone } = args
  const call = {
    name: name ?? 'my schedule',
    ...(schedule === undefined ? { every_s } : { cron: schedule }),
    time_zone,
    job,
  }
  return `schedule_job ${JSON.stringify(call)}`
}

export const gpuOfCommand =
  'a command runs on this machine alone (gpu "never"); GPU workers run job types of your own, which list_job_types {} shows'

export function wantsGpuForCommand(tool: string, args: unknown): boolean {
  if (tool !== 'submit_job' || typeof args !== 'object' || args === null) return false
  const { gpu, type = 'command' } = args as Arguments
  return gpu !== undefined && gpu !== 'never' && gpu !== false && type === 'command'
}

/** True for an id that cannot be one: a name, a shortened id, words. */
export function isNoJobId(issue: z.core.$ZodIssue): boolean {
  return issue.code === 'invalid_format' && issue.message.startsWith('is not a job id')
}

/** @returns the call that finds a job of which only a name is known */
export function findingOf(args: unknown): string {
  const { id, ids } = (args ?? {}) as Arguments
  const [given]: readonly unknown[] = Array.isArray(ids) ? ids : [id ?? ids]
  const isName = typeof given === 'string' && /[^0-9a-f-]/i.test(given) && given.trim().length > 2
  return isName
    ? `list_jobs ${JSON.stringify({ text: given.trim().slice(0, 100) })} or whats_new {} finds the id`
    : 'list_jobs {"limit":20} or whats_new {} finds the id'
}

/** @returns the example of a tool about the job that was named */
export function exampleFor(example: unknown, args: unknown): unknown {
  if (typeof example !== 'object' || example === null || typeof args !== 'object' || args === null) return example
  const shown = Object.entries(example).map(([key, value]) => {
    const given: unknown = Reflect.get(args, key)
    return [key, (key === 'id' && typeof given === 'string') || (key === 'ids' && Array.isArray(given)) ? given : value]
  })
  return Object.fromEntries(shown) as unknown
}
