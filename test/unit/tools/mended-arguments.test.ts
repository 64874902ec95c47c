import { describe, expect, test } from 'vitest'
import { QueueError } from '../../../src/domain/errors.ts'
import { readyCallsIn, refusedCallsIn } from '../../support/ready-calls.ts'
import { callTool } from '../../support/tool-call.ts'

const id = '01890a5d-ac96-774b-bcce-b302099a8057'
const params = { argv: ['make'], cwd: '/work' }

/** @returns the calls that the error about a first call holds */
async function toldBy(tool: string, input: unknown) {
  const { text, seen } = await callTool(tool, input, new QueueError('internal', 'asked'))
  expect(seen, `${tool} was carried out`).toEqual([])
  expect(await refusedCallsIn(text)).toEqual([])
  return readyCallsIn(text).map((call) => ({ tool: call.tool, input: call.input }))
}

describe('the error about arguments holds the call that was meant', () => {
  test.each([
    ['list_jobs', { status: 'done', max_results: 500 }, { states: ['completed'], limit: 100 }],
    ['list_jobs', { query: 'x', since: '2031-05-04' }, { text: 'x', created_after: '2031-05-04T00:00:00Z' }],
    ['job_logs', { id, lines: '20', search: 'rror' }, { id, max_lines: 20, grep: 'rror' }],
    ['wait_for_jobs', { ids: [id], timeout_ms: 5_000, until: 'done' }, { ids: [id], timeout_s: 5, until: 'all_ended' }],
    ['decide_job', { id, approve: false }, { id, decision: 'reject' }],
    [
      'rerun_job',
      { id, status: 'failed', env: { A: 'b' } },
      { id, only: 'failed', overrides: { params: { env: { A: 'b' } } } },
    ],
    ['cancel_job', { state: 'running' }, { filter: { states: ['running'] } }],
    ['delete_jobs', { all: true }, { filter: { states: ['finished'] } }],
    [
      'submit_job',
      { params, rate_limit: '5/s' },
      { params, per_key: { key: 'all', rate_limit: { count: 5, interval_s: 1 } } },
    ],
    ['submit_job', { params, source: { type: 'file', path: '/a' } }, { params, source: { kind: 'lines', file: '/a' } }],
    ['submit_job', { params, gpu: 'yes' }, { params, gpu: 'never' }],
    ['schedule_job', { title: 'a', interval: 60, job: { params } }, { name: 'a', every_s: 60, job: { params } }],
  ])('%s %j', async (tool, input, meant) => {
    const calls = await toldBy(tool, input)
    expect(calls.filter((call) => call.tool === tool)).toEqual([{ tool, input: meant }])
  })

  test('a submit at fixed times is a schedule', async () => {
    expect(await toldBy('submit_job', { params, name: 'a', cron: '0 6 * * *', wait: true })).toEqual([
      { tool: 'schedule_job', input: { name: 'a', cron: '0 6 * * *', job: { params } } },
    ])
  })

  test('a name in place of an id is looked for', async () => {
    const [first, second] = await toldBy('job_logs', { id: 'the backup' })
    expect(first).toEqual({ tool: 'list_jobs', input: { text: 'the backup' } })
    expect(second).toMatchObject({ tool: 'whats_new' })
  })
})

describe('a wish that nobody understands is never left out of a call that changes something', () => {
  test.each([
    ['delete_jobs', { status: 'completed', older_than: '7d' }],
    ['cancel_job', { all: true, except: [id] }],
    ['submit_job', { params, retry_delay: 5 }],
  ])('%s %j', async (tool, input) => {
    const { text } = await callTool(tool, input, new QueueError('internal', 'asked'))
    expect(text).toMatch(/^invalid_input: .*valid: /)
    expect(text).toMatch(/for example /)
  })
})

test('what only looks may be asked without it', async () => {
  const [call] = await toldBy('job_status', { id, fields: ['eta'] })
  expect(call).toEqual({ tool: 'job_status', input: { id } })
})
