import { expect, test } from 'vitest'
import { z } from 'zod'
import { schemaKeysText, schemaLines } from '../../../src/cli/display/schema-lines.ts'

const schema = z.toJSONSchema(
  z.object({
    url: z.url().describe('What to fetch'),
    times: z.int().default(1),
    mode: z.enum(['fast', 'slow']).optional(),
    tags: z.array(z.string()),
    inner: z.object({ a: z.string(), b: z.string() }),
    either: z.union([z.literal('all'), z.number(), z.null()]),
  }),
  { io: 'input' },
) as Record<string, unknown>

test('a schema is shown as its keys, on one line', () => {
  expect(schemaKeysText(schema)).toBe('url, times?, mode?, tags, inner, either')
  expect(schemaKeysText({ type: 'string' })).toBe('string')
  expect(schemaKeysText({})).toBe('any JSON')
})

test('a schema is shown as a line for each field', () => {
  expect(schemaLines(schema, 'params')).toEqual([
    'params.url  string: What to fetch',
    'params.times  integer, may be left out, default 1',
    'params.mode  "fast" | "slow", may be left out',
    'params.tags  list of string',
    'params.inner  {a, b}',
    'params.either  "all" | number | null',
  ])
  expect(schemaLines({ type: 'array', items: {} }, 'result')).toEqual(['result  list of any JSON'])
})
