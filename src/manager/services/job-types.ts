import { z } from 'zod'
import { cutText } from '../../domain/cut-text.ts'
import type { HandlerDefaults, HandlerInfo } from '../../domain/handler-info.ts'
import type { Json, JsonObject } from '../../domain/job.ts'
import type { ExecutorKind } from '../../domain/states.ts'
import { invalidCommand } from '../../domain/wire/command-hints.ts'
import { invalidInput } from '../../domain/wire/invalid-input.ts'
import { commandParams, type SubmitContext } from '../../domain/wire/submit.ts'
import { commandArgv, commandDirectory } from '../runtime/command-task.ts'

/** A job type as the manager sees it: how to check its parameters and what its units get. */
export interface JobType {
  readonly type: string
  readonly title: string
  readonly description: string
  readonly executor: ExecutorKind
  readonly paramsSchema: z.ZodType
  readonly example: JsonObject
  /**
   * @returns a name for people, and what of the submitting client is kept for the attempts
   * @throws QueueError invalid_input naming the bad parameter
   */
  prepare(params: JsonObject, context: SubmitContext): { readonly name: string; readonly context: Json }
  /** The parameters of a rerun: overrides win, key by key; what they make meaningless is left out. */
  mergeParams(first: JsonObject, overrides: JsonObject): JsonObject
  /** What holds where a submit says nothing. */
  readonly defaults: HandlerDefaults
  /**
   * Checks a unit that is known at submit; null: any will do.
   * @throws QueueError invalid_input
   */
  readonly checkUnit: ((unit: Json, name: string) => void) | null
  /** True: a job without units would fail. */
  readonly needsUnits: boolean
  /** Whether placeholders such as {{unit.path}} stand in its parameters. */
  readonly hasTemplates: boolean
  readonly gpu: HandlerInfo['gpu']
}

const command: JobType = {
  type: 'command',
  title: 'Run a command',
  description:
    'Runs a program (argv, no shell) or a shell script (shell: true with script) detached from everything: it goes on when the chat, the app or the manager ends. Progress is read from its output.',
  executor: 'command',
  defaults: {},
  checkUnit: null,
  needsUnits: false,
  hasTemplates: true,
  gpu: 'never',
  paramsSchema: commandParams,
  example: { argv: ['python3', 'train.py', '--epochs', '10'], cwd: '/home/you/project' },
  prepare(params, context) {
    const parsed = commandParams.safeParse(params)
    if (!parsed.success) throw invalidCommand(parsed.error, params)
    const cwd = commandDirectory(parsed.data, context.cwd)
    return { name: commandName(commandArgv(parsed.data)), context: { environment: context.environment, cwd } }
  },
  mergeParams(first, overrides) {
    const { argv, shell, script, ...rest } = first
    // A command line in one form replaces one in the other.
    const kept = 'argv' in overrides || 'script' in overrides ? {} : { argv, shell, script }
    const env = { ...objectOf(first['env']), ...objectOf(overrides['env']) }
    const merged = { ...rest, ...kept, ...overrides, ...(Object.keys(env).length === 0 ? {} : { env }) }
    return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== undefined)) as JsonObject
  },
}

function objectOf(value: Json | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {}
}

const noopParams = z.strictObject({
  result: z.json().optional().describe('The result of every unit; default: the value of the unit'),
})

const noop: JobType = {
  type: 'noop',
  title: 'Do nothing',
  description:
    'Completes every unit at once; its result is the value of the unit. To try sources, test_first, dependencies and schedules, or to join several jobs by depends_on.',
  executor: 'inline',
  defaults: {},
  checkUnit: null,
  needsUnits: false,
  hasTemplates: false,
  gpu: 'never',
  paramsSchema: noopParams,
  example: { result: 'joined' },
  prepare(params) {
    const parsed = noopParams.safeParse(params)
    if (!parsed.success) {
      throw invalidInput(parsed.error, { schema: noopParams, value: params, prefix: 'params' })
    }
    return { name: 'noop', context: null }
  },
  mergeParams: (first, overrides) => ({ ...first, ...overrides }),
}

/** Result of a unit of a type that runs within the manager. */
export function inlineResult(params: JsonObject, unit: Json): Json {
  return params['result'] ?? unit
}

const longestName = 80

function commandName(argv: readonly string[]): string {
  const isScript = argv[0] === '/bin/sh' && argv[1] === '-c'
  const text = (isScript ? (argv[2] ?? '') : argv.join(' ')).replace(/\s+/g, ' ').trim()
  return cutText(text, longestName)
}

/** Types that are no handlers. */
export const ownJobTypes: readonly JobType[] = [command, noop]
