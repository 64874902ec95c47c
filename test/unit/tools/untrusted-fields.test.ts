import { expect, test } from 'vitest'
import { z } from 'zod'
import { operations } from '../../../src/domain/wire/operations.ts'
import { tools } from '../../../src/tools/all-tools.ts'

type JsonSchema = Readonly<Record<string, unknown>>

/**
 * Texts that the queue words itself, or that people gave to name things in later calls. Every other text of an answer was made
 * by a program and is named untrusted_* or described as untrusted.
 */
const ownTexts: ReadonlySet<string> = new Set([
  ...['id', 'missing', 'cursor', 'next_cursor', 'next', 'notes', 'remedy', 'reason', 'version', 'schedule', 'name'],
  ...['type', 'queue', 'priority', 'mode', 'execution_mode', 'executor', 'source', 'worker', 'state', 'job_state'],
  ...['limits', 'path', 'sha256', 'outcome', 'cron', 'time_zone', 'checkpoint_format', 'file', 'url', 'rule', 'key'],
  ...['breaker_until', 'looked_at', 'code', 'state_directory', 'warnings', 'example', 'why'],
  ...['params_schema', 'unit_schema', 'result_schema'],
])

/** Where such a name stands for what a program made after all. */
const programsTexts: readonly RegExp[] = [
  /^(job_status|wait_for_jobs|submit_job|list_jobs|list_units|whats_new)\b.*\bwhy$/,
  /\bjobs?(\[\])?\.name$/,
  /\b(finished|failed|cancelled|needs_you|unfinished|running|artifacts|gpus)\[\]\.name$/,
  /\bartifacts\[\]\.path$/,
  /\bunits\[\]\.key$/,
]

/** Values that may hold text: no list of values, no pattern, no format. */
function isFreeText(schema: JsonSchema): boolean {
  const { type } = schema
  const isText = type === 'string' || (Array.isArray(type) && type.includes('string'))
  const isAny = Object.keys(schema).every((key) => key === 'description') || typeof schema['$ref'] === 'string'
  return isAny || (isText && schema['enum'] === undefined && schema['pattern'] === undefined && !schema['format'])
}

/** @returns paths of texts that nobody marked as untrusted */
function unmarked(schema: JsonSchema, path: string, isMarked: boolean): readonly string[] {
  const marked = isMarked || /^Untrusted\b/.test(String(schema['description'] ?? ''))
  const branches = ((schema['anyOf'] ?? schema['oneOf'] ?? []) as JsonSchema[]).flatMap((branch) =>
    unmarked(branch, path, marked),
  )
  const properties = Object.entries((schema['properties'] ?? {}) as Record<string, JsonSchema>)
  const members = properties.flatMap(([key, inner]) =>
    unmarked(inner, `${path}.${key}`, marked || key.startsWith('untrusted_')),
  )
  const items = schema['items'] === undefined ? [] : unmarked(schema['items'] as JsonSchema, `${path}[]`, marked)
  const values = schema['additionalProperties']
  const record = typeof values === 'object' && values !== null ? unmarked(values as JsonSchema, path, marked) : []
  const own = !marked && isFreeText(schema) ? [path] : []
  return [...own, ...branches, ...members, ...items, ...record]
}

test.each(tools.map(({ name }) => name))('%s marks every text that a program made', (name) => {
  const schema = z.toJSONSchema(operations[name].answer, { io: 'output' }) as JsonSchema
  const wrong = unmarked(schema, name, false).filter((path) => {
    const key = path.replaceAll('[]', '').split('.').at(-1) ?? ''
    return !ownTexts.has(key) || programsTexts.some((pattern) => pattern.test(path))
  })
  expect(wrong).toEqual([])
})

test.each(['job_status', 'job_result'])('%s lists the marks', (name) => {
  const tool = tools.find((each) => each.name === name)
  const listed = JSON.stringify(tool?.listed().outputSchema)
  expect(listed).toContain('"result":{"description":"Untrusted"}')
})

test('what a job printed, its files and its inputs are in fields that say so by name', () => {
  const listed = JSON.stringify(tools.map((tool) => [...Object.keys(operations[tool.name].answer.shape)]))
  for (const name of ['untrusted_output', 'untrusted_artifact_text', 'untrusted_preview'])
    expect(listed).toContain(name)
})
