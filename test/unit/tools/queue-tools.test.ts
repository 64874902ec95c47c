import { describe, expect, test } from 'vitest'
import { usualAnswerCharacters } from '../../../src/config/answer-limit.ts'
import type { ListUnitsAnswer, UnitView } from '../../../src/domain/wire/units.ts'
import { tools } from '../../../src/tools/all-tools.ts'
import { fitJobs } from '../../../src/tools/fit-jobs.ts'
import { fitUnits } from '../../../src/tools/fit-units.ts'
import { jobView } from '../../support/job-view.ts'
import { callTool } from '../../support/tool-call.ts'

const id = '01890a5d-ac96-774b-bcce-b302099a8057'
const otherId = '01890a5d-ac96-774b-bcce-b302099a8058'

/** @returns what a tool asks of the manager, or its error text. */
async function requestOf(name: string, input: unknown): Promise<unknown> {
  const { seen, text } = await callTool(name, input, new Error('not answered'))
  return seen[0]?.request ?? text
}

/** A review of one test unit. */
const held = {
  units_run: 1,
  completed: 1,
  failed: 0,
  units_waiting: 3,
  unit_seconds: 2,
  rest_seconds: 6,
  cost: null,
  rest_cost: null,
  results: [],
}

describe('the calls of the tools', () => {
  test.each([
    ['pause_job', { id }, { ids: [id], freeze: false }],
    ['pause_job', { ids: [id], id: otherId, freeze: true }, { ids: [id, otherId], freeze: true }],
    ['pause_job', { queue: 'gpu' }, { queue: 'gpu', freeze: false }],
    ['resume_job', { filter: { labels: { batch: '7' } } }, { filter: { labels: { batch: '7' } } }],
    ['resume_job', { job_id: id }, { ids: [id] }],
    ['delete_jobs', { id }, { ids: [id], dry_run: false }],
    [
      'delete_jobs',
      { filter: { states: ['failed'] }, dry_run: true },
      { filter: { states: ['failed'] }, dry_run: true },
    ],
    ['export_jobs', { job_ids: [id], what: 'units' }, { ids: [id], what: 'units', format: 'json' }],
    ['decide_job', { job_id: id, decision: 'reject' }, { id, decision: 'reject' }],
    ['update_job', { id, concurrency: null }, { id, concurrency: null }],
    ['update_job', { queue: 'web', queue_rate_limit: null }, { queue: 'web', queue_rate_limit: null }],
    ['add_units', { id, units: '[1,2]', close: true }, { id, units: [1, 2], close: true }],
    ['list_units', { id, states: 'failed' }, { id, states: ['failed'], limit: 20, detail: 'concise' }],
    ['send_input', { id, text: 'yes' }, { id, unit: 0, text: 'yes', raw: false, end: false }],
  ])('%s %j', async (name, input, request) => {
    expect(await requestOf(name, input)).toEqual(request)
  })

  test.each([
    ['decide_job', { id, decision: 'yes' }, /decision is "yes"; valid: approve, reject/],
    ['update_job', { id, params: { argv: ['x'] } }, /unknown argument "params"; valid: id, name/],
    ['delete_jobs', { filter: { state: 'failed' } }, /filter has the unknown key "state"; valid: states/],
    ['export_jobs', { id, format: 'xlsx' }, /format is "xlsx"; valid: json, csv, markdown/],
  ])('%s %j is answered with help', async (name, input, text) => {
    expect(await requestOf(name, input)).toMatch(text)
  })

  test('decide_job without a decision tells a client without forms what to do, and of a job that ended that it did', async () => {
    const { text } = await callTool(
      'decide_job',
      { id },
      { jobs: [jobView({ state: 'awaiting_approval', review: held })] },
    )
    expect(text).toMatch(/^invalid_input: nothing was decided .*it stays held.*decide_job \{"id":.*"approve"\}/)
    const ended = await callTool(
      'decide_job',
      { id },
      { jobs: [jobView({ state: 'completed', why: 'completed in 3 s' })] },
    )
    expect(ended.text).toMatch(/^invalid_transition: .*waits for no decision: completed in 3 s/)
  })
})

describe('the list of tools', () => {
  const listed = new Map(tools.map((tool) => [tool.name as string, tool.listed()]))

  test('decide_job says that silence is no approval', () => {
    const { description } = listed.get('decide_job') ?? {}
    expect(description).toMatch(/only after the user has seen the review and has said what to do/)
    expect(description).toMatch(/Silence, an unanswered or a dismissed question is not approval/)
  })

  test('annotations say what cannot be undone', () => {
    for (const name of ['decide_job', 'cancel_job', 'delete_jobs', 'send_input'])
      expect(listed.get(name)?.annotations, name).toMatchObject({ readOnlyHint: false, destructiveHint: true })
    for (const name of ['list_units', 'list_schedules'])
      expect(listed.get(name)?.annotations, name).toMatchObject({ readOnlyHint: true, idempotentHint: true })
    for (const name of ['pause_job', 'resume_job', 'update_job', 'delete_jobs', 'decide_job'])
      expect(listed.get(name)?.annotations, name).toMatchObject({ readOnlyHint: false, idempotentHint: true })
    for (const name of ['add_units', 'send_input', 'export_jobs', 'submit_job', 'rerun_job'])
      expect(listed.get(name)?.annotations, name).toMatchObject({ idempotentHint: false })
  })

  test('is short enough for a model', () => {
    for (const [name, tool] of listed) expect(tool.description?.length ?? 0, name).toBeLessThan(2_000)
    const size = (value: unknown) => JSON.stringify(value).length
    expect(size([...listed.values()])).toBeLessThan(86_000)
    expect(size([...listed.values()].map((tool) => tool.inputSchema))).toBeLessThan(28_000)
  })

  test('spells a job once and the arguments of a submit once, and refers to them elsewhere', () => {
    const spelledJob = [...listed.values()].filter((tool) =>
      JSON.stringify(tool.outputSchema).includes('"stored_state"'),
    )
    expect(spelledJob.map((tool) => tool.name)).toEqual(['job_status'])
    const spelledSubmit = [...listed.values()].filter((tool) =>
      JSON.stringify(tool.inputSchema).includes('"final_step"'),
    )
    expect(spelledSubmit.map((tool) => tool.name)).toEqual(['submit_job'])
    expect(listed.get('rerun_job')?.inputSchema['properties']?.['overrides']).toEqual({
      type: 'object',
      description: 'Fields as of submit_job',
    })
    expect(
      (listed.get('submit_job')?.outputSchema?.['properties'] as Record<string, unknown> | undefined)?.['job'],
    ).toMatchObject({ type: 'object' })
  })
})

const unit: UnitView = {
  unit: 0,
  final_step: false,
  state: 'failed',
  why: 'failed after 1 attempt: exit code 1',
  key: null,
  progress: null,
  untrusted_input: '"a"',
  attempts: 1,
  failures: 1,
  mode: null,
  exit_code: 1,
  duration_s: 1,
  error: null,
}

function unitsAnswer(units: readonly UnitView[]): ListUnitsAnswer {
  const counts = { total: units.length, available: 0, running: 0, completed: 0, failed: units.length, cancelled: 0 }
  return { id, units: [...units], counts, failure_groups: [], has_more: false, next_cursor: null, next: 'next' }
}

describe('long answers', () => {
  test('about many units are cut, say so, and keep every unit with its error', () => {
    const error = {
      code: 'command_failed',
      message: 'exit code 1',
      remedy: 'Read job_logs.',
      untrusted_output_tail: 't'.repeat(4_000),
    }
    const units = Array.from({ length: 40 }, (_, index) => ({
      ...unit,
      unit: index,
      untrusted_input: 'i'.repeat(2_000),
      error,
      result: { text: 'r'.repeat(2_000) },
    }))
    const fitted = fitUnits(unitsAnswer(units))
    expect(JSON.stringify(fitted).length).toBeLessThanOrEqual(usualAnswerCharacters)
    expect(fitted.units.map((one) => one.unit)).toEqual(units.map((one) => one.unit))
    expect(fitted.units[0]?.error?.message).toBe('exit code 1')
    expect(fitted.next).toMatch(/Parts were left out to keep this answer small: .*list_units \{/)
  })

  test('about few units stay as they are', () => {
    const answer = unitsAnswer([unit])
    expect(fitUnits(answer)).toBe(answer)
  })

  test('about a job held for review keep the figures of the review', () => {
    const results = Array.from({ length: 30 }, (_, index) => ({
      unit: index,
      state: 'completed' as const,
      result: 'x'.repeat(2_000),
    }))
    const review = {
      units_run: 30,
      completed: 30,
      failed: 0,
      units_waiting: 470,
      unit_seconds: 2,
      rest_seconds: 470,
      cost: 0.3,
      rest_cost: 4.7,
      results,
    }
    const fitted = fitJobs({ jobs: [jobView({ state: 'awaiting_approval', review })], next: 'decide' })
    expect(JSON.stringify(fitted).length).toBeLessThanOrEqual(usualAnswerCharacters)
    expect(fitted.jobs[0]?.review).toMatchObject({ units_run: 30, rest_seconds: 470, rest_cost: 4.7 })
  })
})
