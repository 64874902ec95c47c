import { readFileSync } from 'node:fs'
import { isAbsolute, resolve } from 'node:path'
import type { Command } from 'commander'
import type { z } from 'zod'
import { QueueError } from '../domain/errors.ts'
import { invalidInput } from '../domain/wire/invalid-input.ts'
import { type SubmitInput, submitInput } from '../domain/wire/submit.ts'
import { forCommandLine } from './display/for-command-line.ts'
import { addFlowOptions, type FlowOptions, flowOf } from './flow-options.ts'
import { addGpuOptions, type GpuOptions, gpuOf } from './gpu-options.ts'
import {
  badOption,
  bytesOption,
  integerOption,
  jsonOrText,
  numberOption,
  pairsOption,
  repeated,
  secondsOption,
  timeOption,
} from './option-values.ts'
import { addRetryOptions, type RetryOptions, retriesOf } from './retry-options.ts'
import { addUnitOptions, type UnitOptions, unitsOf } from './unit-options.ts'

/** Options that describe how a job runs; the same for submit and rerun. */
export interface JobOptions extends UnitOptions, RetryOptions, FlowOptions, GpuOptions {
  readonly name?: string
  readonly label?: readonly string[]
  readonly queue?: string
  readonly priority?: string
  readonly runAt?: string
  readonly maxAttempts?: string
  readonly backoffInitial?: string
  readonly backoffMax?: string
  readonly backoffFactor?: string
  /** False with --no-rerun-when-lost; commander sets true otherwise. */
  readonly rerunWhenLost?: boolean
  readonly timeout?: string
  readonly idleTimeout?: string
  readonly cancelGrace?: string
  readonly maxOutput?: string
  readonly params?: string
  readonly param?: readonly string[]
  readonly cwd?: string
  readonly env?: readonly string[]
  readonly successExitCode?: readonly string[]
  readonly interactive?: boolean
}

/** From where and when something was typed. */
interface TypedAt {
  readonly cwd: string
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** How a job runs, as given; checked as a whole by the wire schema. */
type Limits = Omit<Partial<SubmitInput>, 'type' | 'params' | 'idempotency_key'>

/** Adds the options of JobOptions to a command. */
export function addJobOptions(command: Command): Command {
  command
    .option('--name <text>', 'name for people (made from the command when left out)')
    .option('--label <name=value>', 'label; repeatable', repeated)
    .option('--queue <name>', 'queue to put it in')
    .option('--priority <name>', 'urgent, normal, low or idle')
    .option('--run-at <time>', 'not started before: an ISO 8601 time, or a length from now such as 2h')
    .option('--max-attempts <number>', 'attempts at most (1: a failure is not retried)')
    .option('--backoff-initial <length>', 'pause before the first retry')
    .option('--backoff-max <length>', 'longest pause between retries')
    .option('--backoff-factor <number>', 'growth of the pause')
    .option('--no-rerun-when-lost', 'do not run again when the machine or the processes vanished')
    .option('--timeout <length>', 'longest time of an attempt, such as 30s or 2h; a bare number: seconds')
    .option('--idle-timeout <length>', 'longest silence: no output, of a handler no progress either')
    .option('--cancel-grace <length>', 'time between TERM and KILL')
    .option('--max-output <size>', 'kept head and tail of the output, such as 10mb')
    .option('--params <json>', 'parameters of the type as a JSON object, or @FILE')
    .option('--param <name=value>', 'one parameter; JSON, or text; repeatable', repeated)
    .option('--cwd <directory>', 'working directory of a command (default: the current one)')
    .option('--env <name=value>', 'environment variable of a command; repeatable', repeated)
    .option('--success-exit-code <number>', 'exit code that counts as success (default 0); repeatable', repeated)
    .option('--interactive', 'standard input of the command stays open for nightkiln send')
  addUnitOptions(command)
  addFlowOptions(command)
  addRetryOptions(command)
  addGpuOptions(command)
  return command.addHelpText(
    'after',
    `
A length is 90s, 10m or 2h; a number without a unit counts as seconds.
{{unit}} or {{unit.key}} in the program, its arguments, --env, --cwd and --stdin is the value of a unit.
`,
  )
}

/** @returns the error of a wire schema, with the names of options instead of those of the wire. */
export function invalidOptions(error: z.ZodError, schema: z.ZodType, value: unknown): QueueError {
  return new QueueError('invalid_input', forCommandLine(invalidInput(error, { schema, value }).message))
}

/** @returns what the options say about the parameters of the type; only what was given. */
export function paramsOf(options: JobOptions, cwd: string): Record<string, unknown> {
  const params: Record<string, unknown> = options.params === undefined ? {} : jsonParams(options.params, cwd)
  for (const [name, value] of Object.entries(pairsOption('--param', options.param ?? [])))
    params[name] = jsonOrText(value)
  if (options.cwd !== undefined) params['cwd'] = isAbsolute(options.cwd) ? options.cwd : resolve(cwd, options.cwd)
  if (options.env !== undefined) params['env'] = pairsOption('--env', options.env)
  if (options.successExitCode !== undefined) {
    params['success_exit_codes'] = options.successExitCode.map((code) => integerOption('--success-exit-code', code))
  }
  if (options.interactive === true) params['interactive'] = true
  return params
}

/** @returns what the options say about how the job runs and its units; only what was given. */
export function limitsOf(options: JobOptions, { now, cwd }: TypedAt): Limits {
  const given: Partial<Record<keyof SubmitInput, unknown>> = {}
  const set = <Value>(key: keyof SubmitInput, value: string | undefined, parse: (text: string) => Value): void => {
    if (value !== undefined) given[key] = parse(value)
  }
  const text = (value: string) => value
  const seconds = (option: string) => (value: string) => secondsOption(option, value)
  set('name', options.name, text)
  if (options.label !== undefined) given.labels = pairsOption('--label', options.label)
  set('queue', options.queue, text)
  set('priority', options.priority, text)
  set('run_at', options.runAt, (value) => timeOption('--run-at', value, now, 'ahead'))
  set('max_attempts', options.maxAttempts, (value) => integerOption('--max-attempts', value, 1))
  const backoff: Record<string, number> = {}
  if (options.backoffInitial !== undefined)
    backoff['initial_s'] = secondsOption('--backoff-initial', options.backoffInitial)
  if (options.backoffMax !== undefined) backoff['max_s'] = secondsOption('--backoff-max', options.backoffMax)
  if (options.backoffFactor !== undefined) backoff['factor'] = numberOption('--backoff-factor', options.backoffFactor)
  if (Object.keys(backoff).length > 0) given.backoff = backoff
  if (options.rerunWhenLost === false) given.rerun_when_lost = false
  set('timeout_s', options.timeout, seconds('--timeout'))
  set('idle_timeout_s', options.idleTimeout, seconds('--idle-timeout'))
  set('cancel_grace_s', options.cancelGrace, seconds('--cancel-grace'))
  set('max_output_bytes', options.maxOutput, (value) => bytesOption('--max-output', value))
  return { ...given, ...unitsOf(options, cwd), ...flowOf(options), ...retriesOf(options), ...gpuOf(options) } as Limits
}

export interface SubmitOptions extends JobOptions {
  readonly type?: string
  readonly shell?: string
  readonly stdin?: string
  readonly key?: string
}

/**
 * Maps a submit's options and arguments to the wire input.
 * @param stdin what was read from standard input, for `--stdin -`
 * @throws QueueError invalid_input naming the option
 */
export function submitInputOf(
  options: SubmitOptions,
  argv: readonly string[],
  world: TypedAt & { readonly stdin?: string | undefined },
): SubmitInput {
  const type = options.type ?? 'command'
  const params = paramsOf(options, world.cwd)
  if (type === 'command') addCommandParams(params, options, argv, world)
  else if (argv.length > 0 || options.shell !== undefined) {
    throw new QueueError('invalid_input', `a program was given together with --type ${type}`, {
      remedy: 'Leave out --type to run a program; give other types their parameters by --params or --param.',
    })
  }
  const limits = limitsOf(options, world)
  // The script of --final runs where the program does.
  if (options.final !== undefined && limits.final_step !== undefined)
    limits.final_step.params['cwd'] = params['cwd'] as string
  const candidate = {
    type,
    params,
    ...limits,
    ...(options.key === undefined ? {} : { idempotency_key: options.key }),
  }
  const parsed = submitInput.safeParse(candidate)
  if (parsed.success) return parsed.data
  throw invalidOptions(parsed.error, submitInput, candidate)
}

function addCommandParams(
  params: Record<string, unknown>,
  options: SubmitOptions,
  argv: readonly string[],
  world: { readonly cwd: string; readonly stdin?: string | undefined },
): void {
  if (options.shell !== undefined) {
    if (argv.length > 0) {
      throw new QueueError('invalid_input', '--shell and a program were given together', {
        remedy: 'Give either --shell "script" or a program behind "--".',
      })
    }
    params['shell'] = true
    params['script'] = options.shell
  } else if (argv.length > 0) params['argv'] = [...argv]
  if (params['argv'] === undefined && params['script'] === undefined) {
    throw new QueueError('invalid_input', 'no program was given', {
      remedy: 'Put it behind "--": nightkiln submit -- make -j4; or give --shell "make && make test".',
    })
  }
  // A person in a terminal means the directory they stand in, HOME included.
  params['cwd'] ??= world.cwd
  if (options.stdin !== undefined) params['stdin'] = options.stdin === '-' ? (world.stdin ?? '') : options.stdin
}

function jsonParams(text: string, cwd: string): Record<string, unknown> {
  let source = text
  if (text.startsWith('@')) {
    const file = resolve(cwd, text.slice(1))
    try {
      source = readFileSync(file, 'utf8')
    } catch (error) {
      throw new QueueError('invalid_input', `--params names ${file}, which cannot be read: ${(error as Error).message}`)
    }
  }
  try {
    const value: unknown = JSON.parse(source)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  } catch {
    // Told below: the value is named in the same words as one of a wrong type.
  }
  throw badOption('--params', text, 'a JSON object, or @FILE that holds one')
}
