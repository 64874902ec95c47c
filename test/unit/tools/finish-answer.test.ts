import fc from 'fast-check'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { usualAnswerCharacters } from '../../../src/config/answer-limit.ts'
import { operations } from '../../../src/domain/wire/operations.ts'
import { tools } from '../../../src/tools/all-tools.ts'
import { arbitraryOf } from '../../support/arbitrary-of-schema.ts'
import { jobView } from '../../support/job-view.ts'
import { readyCallsIn, refusedCallsIn } from '../../support/ready-calls.ts'
import { callTool } from '../../support/tool-call.ts'

const id = '01890a5d-ac96-774b-bcce-b302099a8057'
/** What a text of an answer may never hold. */
const harmful = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\u200b\ufeff]|\p{Surrogate}/u

afterEach(() => vi.unstubAllEnvs())

function exampleOf(name: string): unknown {
  const tool = tools.find((each) => each.name === name)
  return JSON.parse(/Example: (\{.*\})$/.exec(tool?.listed().description ?? '')?.[1] ?? '{}')
}

function idsIn(value: unknown, key = ''): readonly string[] {
  if (typeof value === 'string') return /^(id|ids|cursor|next_cursor)$/.test(key) ? [value] : []
  if (typeof value !== 'object' || value === null) return []
  if (key === 'result' || key === 'params' || key === 'labels' || key === 'example') return []
  return Object.entries(value).flatMap(([name, item]) => idsIn(item, Array.isArray(value) ? key : name))
}

describe('an answer of any size fits, is valid, and is harmless', () => {
  const small = ['job_status', 'list_jobs', 'list_units', 'queue_status', 'job_logs', 'list_job_types']
  const cases = [
    ...tools.map(({ name }) => [name, usualAnswerCharacters] as const),
    ...tools.filter(({ name }) => small.includes(name)).map(({ name }) => [name, 3_000] as const),
  ]
  test.each(cases)('%s in %i characters', async (name, most) => {
    vi.stubEnv('NIGHTKILN_MAX_ANSWER_CHARACTERS', String(most))
    const schema = operations[name].answer
    const arbitrary = fc.oneof(
      arbitraryOf(schema, { items: 2, characters: 24_000 }),
      arbitraryOf(schema, { items: 24, characters: 120 }),
    )
    await fc.assert(
      fc.asyncProperty(arbitrary, async (answer) => {
        const { result, text } = await callTool(name, exampleOf(name), answer)
        expect(result.isError ?? false, text.slice(0, 300)).toBe(false)
        expect(text.length).toBeLessThanOrEqual(most)
        expect(JSON.stringify(result.structuredContent)).toBe(text)
        expect(schema.safeParse(result.structuredContent).success).toBe(true)
        expect(JSON.stringify(result.structuredContent)).not.toMatch(harmful)
        const before = new Set(idsIn(answer))
        for (const kept of idsIn(result.structuredContent)) expect(before).toContain(kept)
      }),
      { numRuns: 4, interruptAfterTimeLimit: 500, endOnFailure: true },
    )
  })
})

describe('what is cut', () => {
  const answer = (jobs: readonly unknown[]) => ({ jobs, missing: [], next: 'wait' })

  test('says so, with the call that gets the rest', async () => {
    const large = { ...jobView({ id }), why: 'w'.repeat(30_000) }
    const { text, result } = await callTool('job_status', { id }, answer([large]))
    expect(text.length).toBeLessThanOrEqual(usualAnswerCharacters)
    const { next, jobs } = result.structuredContent as { next: string; jobs: { why: string; id: string }[] }
    expect(next).toMatch(/^wait Parts were left out to keep this answer small: job_result \{/)
    expect(readyCallsIn(next)).toHaveLength(2)
    expect(await refusedCallsIn(next)).toEqual([])
    expect(jobs[0]).toMatchObject({ id, why: expect.stringMatching(/^w+ … \(\d+ characters left out\)$/) })
  })

  test('keeps as much as there is room for', async () => {
    const large = { ...jobView({ id }), why: 'w'.repeat(30_000) }
    const { text } = await callTool('job_status', { id }, answer([large]))
    expect(text.length).toBeGreaterThan(usualAnswerCharacters - 200)
  })

  test('a page of a list is asked for again, shorter, so that its cursor is true', async () => {
    vi.stubEnv('NIGHTKILN_MAX_ANSWER_CHARACTERS', '3000')
    const row = { ...jobView({ id }) }
    const line = {
      id: row.id,
      name: row.name,
      type: row.type,
      state: row.state,
      why: 'w'.repeat(150),
      progress: null,
      created_at: row.created_at,
      finished_at: null,
      duration_s: null,
    }
    const pages = ({ limit }: { limit: number }) => ({
      jobs: Array.from({ length: limit }, () => line),
      has_more: true,
      next_cursor: `after-${limit}`,
      next: 'page',
    })
    const { result, seen } = await callTool('list_jobs', { limit: 100 }, pages)
    const shown = result.structuredContent as { jobs: unknown[]; next_cursor: string; next: string }
    expect(seen.length).toBeGreaterThan(1)
    expect(shown.next_cursor).toBe(`after-${shown.jobs.length}`)
    expect(shown.next).toBe('page')
    expect(shown.jobs.length).toBeGreaterThan(3)
  })

  test('a long output is asked for again, shorter, so that its offsets are true', async () => {
    const logs = ({ max_bytes }: { max_bytes: number }) => ({
      id,
      unit: 0,
      attempt: 1,
      untrusted_output: '\u0007'.repeat(max_bytes),
      offset: 0,
      next_offset: max_bytes,
      total_bytes: 200_000,
      dropped_bytes: 0,
      truncated: true,
      running: false,
      next: 'The rest',
    })
    const { result } = await callTool('job_logs', { id, mode: 'head', max_bytes: 200_000 }, logs)
    const { untrusted_output, next_offset } = result.structuredContent as Record<string, never>
    expect(String(untrusted_output).length).toBe(4 * Number(next_offset))
    expect(String(untrusted_output).length).toBeGreaterThan(usualAnswerCharacters / 2)
  })
})

describe('the limit', () => {
  test.each(['1999', '400001', 'many', '-5', '2e4'])('%s is an error of the call that meets it', async (value) => {
    vi.stubEnv('NIGHTKILN_MAX_ANSWER_CHARACTERS', value)
    const { result, text } = await callTool('remove_schedule', { name: 'a' }, { name: 'a', removed: true, next: '' })
    expect(result.isError).toBe(true)
    expect(text).toMatch(new RegExp(`^config_invalid: NIGHTKILN_MAX_ANSWER_CHARACTERS is "${value}".* 2000 to 400000`))
  })

  test('may be raised', async () => {
    vi.stubEnv('NIGHTKILN_MAX_ANSWER_CHARACTERS', '400000')
    const large = { ...jobView({ id }), why: 'w'.repeat(30_000) }
    const { result } = await callTool('job_status', { id }, { jobs: [large], missing: [], next: 'wait' })
    expect(result.structuredContent).toMatchObject({ jobs: [{ why: large.why }], next: 'wait' })
  })
})
