import type { z } from 'zod'
import { cutText } from '../../domain/cut-text.ts'
import { QueueError } from '../../domain/errors.ts'
import type { Json, JsonObject } from '../../domain/job.ts'
import { invalidCommand } from '../../domain/wire/command-hints.ts'
import { commandParams, type SubmitContext } from '../../domain/wire/submit.ts'
import { commandArgv, commandDirectory } from '../runtime/command-task.ts'

/** A job type as the manager sees it: how to check its parameters and what its one unit gets. */
export interface JobType {
  readonly type: string
  readonly title: string
  readonly description: string
  readonly executor: 'command'
  readonly paramsSchema: z.ZodType
  readonly example: JsonObject
  /** @throws QueueError invalid_input naming the bad parameter */
  prepare(params: JsonObject, context: SubmitContext): { readonly name: string; readonly input: Json }
  /** The parameters of a rerun: overrides win, key by key; what they make meaningless is left out. */
  mergeParams(first: JsonObject, overrides: JsonObject): JsonObject
}

const command: JobType = {
  type: 'command',
  title: 'Run a command',
  description:
    'Runs a program (argv, no shell) or a shell script (shell: true with script) detached from everything: it goes on when the chat, the app or the manager ends. Progress is read from its output.',
  executor: 'command',
  paramsSchema: commandParams,
  example: { argv: ['python3', 'train.py', '--epochs', '10'], cwd: '/home/you/project' },
  prepare(params, context) {
    const parsed = commandParams.safeParse(params)
    if (!parsed.success) throw invalidCommand(parsed.error, params)
    const cwd = commandDirectory(parsed.data, context.cwd)
    return { name: commandName(commandArgv(parsed.data)), input: { environment: context.environment, cwd } }
  },
  mergeParams(first, overrides) {
    const { argv, shell, script, ...rest } = first
    // A command line in one form replaces one in the other.
    const kept = 'argv' in overrides || 'script' in overrides ? {} : { argv, shell, script }
    const merged = { ...rest, ...kept, ...overrides }
    return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== undefined)) as JsonObject
  },
}

const longestName = 80

function commandName(argv: readonly string[]): string {
  const isScript = argv[0] === '/bin/sh' && argv[1] === '-c'
  const text = (isScript ? (argv[2] ?? '') : argv.join(' ')).replace(/\s+/g, ' ').trim()
  return cutText(text, longestName)
}

const types: ReadonlyMap<string, JobType> = new Map([[command.type, command]])

/** @throws QueueError unknown_job_type naming the types that exist */
export function jobTypeNamed(name: string): JobType {
  const found = types.get(name)
  if (found !== undefined) return found
  throw new QueueError('unknown_job_type', `there is no job type "${name}"; there is: ${[...types.keys()].join(', ')}`)
}

export function allJobTypes(): readonly JobType[] {
  return [...types.values()]
}
