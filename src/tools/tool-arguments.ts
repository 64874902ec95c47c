import type { z } from 'zod'
import { QueueError } from '../domain/errors.ts'
import { misplacedParams, paramsFrom } from '../domain/wire/command-hints.ts'
import { inWantedForm, issueSentences } from '../domain/wire/invalid-input.ts'
import { schemaKeys, valueAt } from '../domain/wire/schema-keys.ts'
import { mendedArguments } from './mended-arguments.ts'
import { asSchedule, exampleFor, findingOf, gpuOfCommand, isNoJobId, wantsGpuForCommand } from './other-call.ts'

type Issue = z.core.$ZodIssue
type Arguments = Readonly<Record<string, unknown>>

/** What of a tool its errors speak of. */
export interface CheckedTool {
  readonly name: string
  readonly example: unknown
  readonly annotations?: { readonly readOnlyHint?: boolean | undefined } | undefined
}

/** Names under which models give the id of a job. */
const idKeys: readonly string[] = ['id', 'ids', 'job_id', 'job_ids']

/**
 * Checks the arguments of a tool call. What is plainly meant is understood: a list, an object or a number sent as text,
 * a job id under another tool's name.
 * @throws QueueError invalid_input naming every bad argument, the valid ones and a call that works
 */
export function checkedArguments<Input extends z.ZodType>(
  schema: Input,
  given: unknown,
  tool: CheckedTool,
): z.output<Input> {
  const args = given ?? {}
  const parsed = schema.safeParse(args)
  if (parsed.success) return parsed.data
  if (!isObject(args)) throw explained(schema, args, parsed.error.issues, tool)
  const named = withKnownIdKey(schema, args, parsed.error.issues)
  const renamed = schema.safeParse(named)
  if (renamed.success) return renamed.data
  const again = schema.safeParse(withParsedTexts(named, renamed.error.issues))
  if (again.success) return again.data
  throw explained(schema, named, renamed.error.issues, tool)
}

function isObject(value: unknown): value is Arguments {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Takes the one id key that this tool does not know for the one it knows, when the value fits. */
function withKnownIdKey(schema: z.ZodType, args: Arguments, issues: readonly Issue[]): Arguments {
  const unknown = issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys' && issue.path.length === 0 ? issue.keys : [],
  )
  const aliases = unknown.filter((key) => idKeys.includes(key))
  const [alias] = aliases
  if (alias === undefined || aliases.length > 1) return args
  const known = schemaKeys(schema, [])
  if (idKeys.some((key) => known.includes(key) && args[key] !== undefined)) return args
  const { [alias]: value, ...others } = args
  const list: unknown = typeof value === 'string' ? parsedText(value, 'array') : value
  if (!Array.isArray(list)) return args
  if (known.includes('ids')) return { ...others, ids: list }
  return known.includes('id') && list.length === 1 ? { ...others, id: list[0] as unknown } : args
}

/** Replaces text by what it says where a list, an object, a number or a truth value was expected. */
function withParsedTexts(args: Arguments, issues: readonly Issue[]): unknown {
  const copy: unknown = structuredClone(args)
  for (const issue of issues) {
    const key = issue.path.at(-1)
    const value = valueAt(copy, issue.path)
    if (issue.code !== 'invalid_type' || key === undefined || typeof value !== 'string') continue
    const holder = valueAt(copy, issue.path.slice(0, -1))
    if (typeof holder === 'object' && holder !== null) Reflect.set(holder, key, parsedText(value, issue.expected))
  }
  return copy
}

function parsedText(text: string, expected: string): unknown {
  if (!['array', 'record', 'object'].includes(expected)) return inWantedForm(expected, text) ?? text
  try {
    const parsed: unknown = JSON.parse(text)
    if (typeof parsed === 'object') return parsed
  } catch {
    // No JSON: a single value.
  }
  return expected === 'array' ? [text] : text
}

function explained(schema: z.ZodType, args: unknown, issues: readonly Issue[], tool: CheckedTool): QueueError {
  const sentences: string[] = []
  const rest: Issue[] = []
  for (const issue of issues) {
    const holder = valueAt(args, issue.path)
    const takesParams = issue.code === 'unrecognized_keys' && schemaKeys(schema, issue.path).includes('params')
    const misplaced = takesParams && isObject(holder) ? misplacedParams(holder, issue.path, issue.keys) : null
    if (misplaced === null) {
      rest.push(issue)
      continue
    }
    sentences.push(misplaced.sentence)
    const others = issue.code === 'unrecognized_keys' ? issue.keys.filter((key) => !misplaced.keys.includes(key)) : []
    if (others.length > 0) rest.push({ ...issue, keys: others } as Issue)
  }
  const hasCall = sentences.length > 0
  // Params are missing because their content stands beside them.
  const told = rest.filter(
    (issue) => !(hasCall && issue.path.at(-1) === 'params' && valueAt(args, issue.path) === undefined),
  )
  if (told.length > 0) sentences.push(issueSentences(told, { schema, value: args }))
  const params = told.some((issue) => issue.code === 'invalid_type' && issue.path.at(-1) === 'params')
    ? paramsFrom(isObject(args) ? args['params'] : undefined)
    : null
  if (params !== null) sentences.push(`write ${params}`)
  const moved = tool.name === 'submit_job' && isObject(args) ? asSchedule(args) : null
  if (moved !== null) sentences.push('at fixed times: schedule_job')
  if (wantsGpuForCommand(tool.name, args)) sentences.push(gpuOfCommand)
  const lost = issues.some(isNoJobId) ? findingOf(args) : null
  const mended =
    moved === null && lost === null ? mendedArguments(schema, args, tool.annotations?.readOnlyHint === true) : null
  const again = `Correct it and call ${tool.name} again`
  return new QueueError('invalid_input', sentences.join('; '), {
    remedy:
      moved !== null
        ? `Call ${moved}`
        : lost !== null
          ? `${lost}, then ${again.toLowerCase()}.`
          : mended !== null
            ? `${again}: ${tool.name} ${mended}`
            : hasCall || params !== null
              ? `${again}.`
              : `${again}, for example ${tool.name} ${JSON.stringify(exampleFor(tool.example, args))}`,
  })
}
