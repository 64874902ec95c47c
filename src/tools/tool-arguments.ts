import type { z } from 'zod'
import { QueueError } from '../domain/errors.ts'

type Issue = z.core.$ZodIssue

/**
 * Checks the arguments of a tool call. Clients that send a list or an object as its JSON text are understood.
 * @throws QueueError invalid_input naming every bad argument, the valid ones and a call that works
 */
export function checkedArguments<Input extends z.ZodType>(
  schema: Input,
  given: unknown,
  tool: { readonly name: string; readonly example: unknown },
): z.output<Input> {
  const args = given ?? {}
  const parsed = schema.safeParse(args)
  if (parsed.success) return parsed.data
  const again = schema.safeParse(withParsedTexts(args, parsed.error.issues))
  if (again.success) return again.data
  throw new QueueError('invalid_input', parsed.error.issues.slice(0, 8).map(issueText(schema)).join('; '), {
    remedy: `Correct it and call ${tool.name} again, for example with ${JSON.stringify(tool.example)}`,
  })
}

/** Replaces text by what it says as JSON where a list or an object was expected. */
function withParsedTexts(args: unknown, issues: readonly Issue[]): unknown {
  if (typeof args !== 'object' || args === null || Array.isArray(args)) return args
  const copy: Record<string, unknown> = { ...args }
  for (const issue of issues) {
    const [key, ...rest] = issue.path
    if (issue.code !== 'invalid_type' || typeof key !== 'string' || rest.length > 0) continue
    if (!['array', 'record', 'object'].includes(issue.expected)) continue
    copy[key] = parsedText(copy[key], issue.expected === 'array')
  }
  return copy
}

function parsedText(value: unknown, wantsList: boolean): unknown {
  if (typeof value !== 'string') return value
  try {
    const parsed: unknown = JSON.parse(value)
    return typeof parsed === 'object' ? parsed : value
  } catch {
    return wantsList ? [value] : value
  }
}

function issueText(schema: z.ZodType): (issue: Issue) => string {
  return (issue) => {
    const path = issue.path.map(String).join('.')
    if (issue.code !== 'unrecognized_keys') return path === '' ? issue.message : `"${path}": ${issue.message}`
    const unknown = issue.keys.map((key) => `"${path === '' ? '' : `${path}.`}${key}"`).join(', ')
    const known = path === '' ? knownKeys(schema) : []
    return `unknown argument ${unknown}${known.length > 0 ? `; valid ones: ${known.join(', ')}` : ''}`
  }
}

function knownKeys(schema: z.ZodType): readonly string[] {
  return 'shape' in schema && typeof schema.shape === 'object' && schema.shape !== null ? Object.keys(schema.shape) : []
}
