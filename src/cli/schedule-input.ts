import { QueueError } from '../domain/errors.ts'
import type { OperationRequest } from '../domain/wire/operations.ts'
import { scheduleInput, scheduleName } from '../domain/wire/schedules.ts'
import { invalidOptions, limitsOf, paramsOf, type SubmitOptions, submitInputOf } from './job-input.ts'
import { badOption, secondsOption, timeOption } from './option-values.ts'

/** Options of `schedule add`: those of a job, and when it runs. */
export interface ScheduleOptions extends SubmitOptions {
  readonly cron?: string
  readonly every?: string
  readonly startAt?: string
  readonly timeZone?: string
  readonly missed?: string
  readonly overlap?: string
  readonly paused?: boolean
}

type Request = Omit<OperationRequest<'schedule_job'>, 'context' | 'local_time_zone'>

/** @throws QueueError invalid_input for what cannot be the name of a schedule */
export function checkedScheduleName(name: string): string {
  if (scheduleName.safeParse(name).success) return name
  throw badOption('the schedule', name, 'a name of 1 to 64 letters, digits, spaces, ".", "_" or "-"')
}

/**
 * Maps options and arguments to the wire input. Without a program only the rest of an existing schedule is changed.
 * @throws QueueError invalid_input naming the option
 */
export function scheduleInputOf(
  name: string,
  options: ScheduleOptions,
  argv: readonly string[],
  world: { readonly cwd: string; readonly now: number; readonly stdin?: string | undefined },
): Request {
  if (options.runAt !== undefined) {
    throw new QueueError('invalid_input', '--run-at was given for a schedule', {
      remedy: 'Give --cron for times of the day, or --every with --start-at.',
    })
  }
  if (options.cron !== undefined && options.every !== undefined) {
    throw new QueueError('invalid_input', '--cron and --every were given together', {
      remedy: 'Give --cron for times of the day, or --every for an interval.',
    })
  }
  const job = jobOf(options, argv, world)
  const candidate = {
    name: checkedScheduleName(name),
    ...(options.cron === undefined ? {} : { cron: options.cron }),
    ...(options.every === undefined ? {} : { every_s: secondsOption('--every', options.every) }),
    ...(options.startAt === undefined
      ? {}
      : { start_at: timeOption('--start-at', options.startAt, world.now, 'ahead') }),
    ...(options.timeZone === undefined ? {} : { time_zone: options.timeZone }),
    ...(options.missed === undefined ? {} : { missed: options.missed }),
    ...(options.overlap === undefined ? {} : { overlap: options.overlap }),
    ...(options.paused === true ? { enabled: false } : {}),
    ...(job === undefined ? {} : { job }),
  }
  const parsed = scheduleInput.safeParse(candidate)
  if (!parsed.success) throw invalidOptions(parsed.error, scheduleInput, candidate)
  return parsed.data
}

function jobOf(
  options: ScheduleOptions,
  argv: readonly string[],
  world: { readonly cwd: string; readonly now: number; readonly stdin?: string | undefined },
) {
  const params = paramsOf(options, world.cwd)
  const isProgram = argv.length > 0 || options.shell !== undefined || options.type !== undefined
  if (isProgram || params['argv'] !== undefined || params['script'] !== undefined) {
    const { idempotency_key: _key, run_at: _runAt, ...job } = submitInputOf(options, argv, world)
    return job
  }
  const given = [...Object.keys(params), ...Object.keys(limitsOf(options, world))]
  if (given.length === 0 && options.stdin === undefined) return undefined
  throw new QueueError('invalid_input', 'options of the job were given, but no program', {
    remedy:
      'Give the whole job again, its program behind "--": nightkiln schedule add nightly --timeout 2h -- ./report.sh',
  })
}
