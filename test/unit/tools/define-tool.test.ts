import { describe, expect, test } from 'vitest'
import { usualAnswerCharacters } from '../../../src/config/answer-limit.ts'
import { QueueError } from '../../../src/domain/errors.ts'
import { tools } from '../../../src/tools/all-tools.ts'
import type { ToolHost } from '../../../src/tools/define-tool.ts'
import { longestToolWaitSeconds } from '../../../src/tools/wait-for-jobs.ts'
import { jobView } from '../../support/job-view.ts'
import { callTool, plainCall } from '../../support/tool-call.ts'

const id = '01890a5d-ac96-774b-bcce-b302099a8057'
const otherId = '01890a5d-ac96-774b-bcce-b302099a8058'
const job = jobView({ id })
const statusAnswer = { jobs: [job], missing: [], next: 'wait' }

describe('answers', () => {
  test('are the same facts as text and as structure', async () => {
    const { result, text } = await callTool('job_status', { ids: [id] }, statusAnswer)
    expect(result.structuredContent).toEqual(statusAnswer)
    expect(text).toBe(JSON.stringify(result.structuredContent))
  })

  test('carry no control characters', async () => {
    const answer = { ...statusAnswer, jobs: [{ ...job, name: 'a\u001b[31m', labels: { 'x\u0007': 'y\u202e' } }] }
    const { result } = await callTool('job_status', { ids: [id] }, answer)
    expect(result.structuredContent).toMatchObject({ jobs: [{ name: 'a\\x1b[31m', labels: { 'x\\x07': 'y\\u202e' } }] })
  })

  test('of a newer manager lose what this version does not know', async () => {
    const answer = { ...statusAnswer, jobs: [{ ...job, gpu_temperature: 80 }], era: 'future' }
    const { result } = await callTool('job_status', { ids: [id] }, answer)
    expect(result.structuredContent).toEqual(statusAnswer)
  })

  test('that lack something promised are an error', async () => {
    const { result, text } = await callTool('job_status', { ids: [id] }, { jobs: [] })
    expect(result.isError).toBe(true)
    expect(text).toMatch(/^internal: the manager's answer to job_status is not in the promised form: missing/)
  })

  test('about many large jobs are cut, say so, and keep every job', async () => {
    const large = { ...job, result: { text: 'r'.repeat(8_000) }, params: { argv: ['p'.repeat(3_000)] } }
    const jobs = Array.from({ length: 20 }, () => large)
    const { result, text } = await callTool('job_status', { ids: [id], detail: 'full' }, { ...statusAnswer, jobs })
    expect(text.length).toBeLessThanOrEqual(usualAnswerCharacters)
    expect(result.structuredContent).toMatchObject({ next: expect.stringContaining('left out') })
    expect(result.structuredContent).toHaveProperty('jobs.length', 20)
  })
})

describe('errors', () => {
  test('say code, what happened and what to do, without a stack', async () => {
    const { result, text } = await callTool(
      'job_logs',
      { id },
      new QueueError('job_not_found', `no job has the id ${id}`),
    )
    expect(result.isError).toBe(true)
    expect(result.structuredContent).toBeUndefined()
    expect(text).toBe(
      `job_not_found: no job has the id ${id}. Call list_jobs {"limit":20} (nightkiln list) to find the id.`,
    )
  })

  test('of a submit that may have arrived name the key to repeat it with', async () => {
    const { text } = await callTool(
      'submit_job',
      { params: { argv: ['ls'] } },
      new QueueError('outcome_unknown', 'the disk failed', { details: { retry_after_ms: 1_500 } }),
    )
    expect(text).toContain('idempotency_key "random-key"')
    expect(text).toContain('Repeat after 2 s.')
  })

  test('of any other kind are defects with their message only', async () => {
    const { text } = await callTool('queue_status', {}, new TypeError('x is \u001b not a function'))
    expect(text).toMatch(/^internal: x is \\x1b not a function\. /)
    expect(text).not.toContain('define-tool')
  })
})

describe('arguments', () => {
  test.each([
    [{ ids: [id] }, [id]],
    [{ id }, [id]],
    [{ ids: id }, [id]],
    [{ ids: `["${id}","${otherId}"]` }, [id, otherId]],
    [{ ids: [otherId], id }, [otherId, id]],
    [{ ids: [id, id] }, [id]],
  ])('job ids are understood as %j', async (input, ids) => {
    const { seen } = await callTool('job_status', input, statusAnswer)
    expect(seen).toEqual([{ name: 'job_status', request: { ids, detail: 'concise' } }])
  })

  test.each([
    ['job_status', {}, /^invalid_input: no job was named/],
    ['job_status', { ids: ['x'] }, /ids\.0 is "x", which is not a job id.*list_jobs \{.*job_status again/],
    ['job_status', { ids: [] }, /^invalid_input: ids is empty/],
    ['job_status', { id, verbose: true }, /unknown argument "verbose"; valid: ids, detail, id/],
    [
      'submit_job',
      { command: 'ls' },
      /^invalid_input: "command" belongs into params: \{"params":\{"shell":true,"script":"ls"\}\}\./,
    ],
    [
      'submit_job',
      { argv: ['echo', 'hi'], cwd: '/x', nmae: 'n' },
      /^invalid_input: "argv" and "cwd" belong into params: \{"params":\{"argv":\["echo","hi"\],"cwd":"\/x"\}\}; unknown argument "nmae"; valid: type/,
    ],
    [
      'rerun_job',
      { id, overrides: { env: { A: 'b' } } },
      /"env" belongs into overrides\.params: \{"overrides":\{"params":/,
    ],
    ['submit_job', { params: 'ls -l' }, /: params is text, .* write \{"params":\{"shell":true,"script":"ls -l"\}\}/],
    [
      'submit_job',
      { params: {}, backoff: { initial: 1 } },
      /backoff has the unknown key "initial"; valid: initial_s, max_s/,
    ],
    ['submit_job', { params: {}, timeout_s: 2_592_000 }, /: timeout_s is 2592000, but may be at most 604800\./],
    ['list_jobs', { limit: 1_000 }, /^invalid_input: limit is 1000, but may be at most 100\./],
    ['list_jobs', { states: ['done'] }, /states\.0 is "done"; valid: queued.*unfinished/],
    ['list_jobs', { states: 'failed,done' }, /: states is text, but must be a list: \["failed","done"\]\. Correct/],
    ['list_jobs', [], /^invalid_input/],
    ['job_logs', { ids: [id, otherId] }, /id is missing; unknown argument "ids"; valid: id/],
    ['job_logs', { id, job_id: otherId }, /unknown argument "job_id"/],
    ['job_logs', { ids: [id], job_id: otherId }, /unknown argument "ids", "job_id"; valid: id/],
    ['job_logs', { job_id: 'x' }, /: id is "x", which is not a job id/],
  ])('%s %j is answered with help', async (name, input, expected) => {
    const { result, text, seen } = await callTool(name, input, new QueueError('internal', 'asked'))
    expect(seen).toEqual([])
    expect(result.isError).toBe(true)
    expect(text).toMatch(expected)
  })

  test.each([
    ['job_logs', { ids: [id] }],
    ['job_logs', { ids: id }],
    ['job_result', { job_id: id }],
    ['job_result', { job_ids: [id] }],
    ['rerun_job', { job_ids: `["${id}"]` }],
  ])('%s understands %j as its id', async (name, input) => {
    const { seen } = await callTool(name, input, new QueueError('internal', 'asked'))
    expect(seen[0]?.request).toMatchObject({ id })
  })

  test.each([
    ['job_status', { job_id: id }],
    ['wait_for_jobs', { job_ids: [id] }],
    ['cancel_job', { job_id: id }],
  ])('%s understands %j as its ids', async (name, input) => {
    const { seen } = await callTool(name, input, new QueueError('internal', 'asked'))
    expect(seen[0]?.request).toMatchObject({ ids: [id] })
  })

  test('numbers and truth values sent as text are understood, nested ones too', async () => {
    const input = { params: {}, timeout_s: '60', rerun_when_lost: 'false', backoff: { initial_s: '2.5' } }
    const { seen } = await callTool('submit_job', input, new QueueError('internal', 'asked'))
    expect(seen[0]?.request).toMatchObject({ timeout_s: 60, rerun_when_lost: false, backoff: { initial_s: 2.5 } })
    const words = await callTool('submit_job', { params: {}, timeout_s: '1 h' }, new QueueError('internal', 'asked'))
    expect(words.text).toMatch(/: timeout_s is text, but must be a number\. /)
  })

  test('may be missing altogether', async () => {
    expect((await callTool('list_jobs', undefined, new QueueError('internal', 'asked'))).seen).toHaveLength(1)
  })

  test('an object sent as its JSON text is understood', async () => {
    const { seen } = await callTool('submit_job', { params: '{"argv":["ls"]}' }, new QueueError('internal', 'seen'))
    expect(seen[0]?.request).toMatchObject({ params: { argv: ['ls'] } })
  })

  test('a submit carries context and key; a given key is kept', async () => {
    const context = { environment: {}, cwd: '/work', submitted_by: 'client 1' }
    const own = await callTool('submit_job', { params: {}, idempotency_key: 'mine' }, new QueueError('internal', 'x'))
    expect(own.seen[0]?.request).toMatchObject({ type: 'command', idempotency_key: 'mine', context })
    const random = await callTool('rerun_job', { id }, new QueueError('internal', 'x'))
    expect(random.seen[0]?.request).toEqual({ id, idempotency_key: 'random-key', context })
  })

  test('a wait always leaves time for its answer', async () => {
    const { seen } = await callTool('wait_for_jobs', { ids: [id], timeout_s: '300' }, new QueueError('internal', 'x'))
    expect(seen[0]?.request).toMatchObject({ timeout_s: longestToolWaitSeconds, until: 'all_ended' })
  })

  test('a cancel takes ids, one id or a filter', async () => {
    const request = async (input: unknown) =>
      (await callTool('cancel_job', input, new QueueError('internal', 'x'))).seen[0]?.request
    expect(await request({ id })).toEqual({ ids: [id] })
    expect(await request({ ids: [id] })).toEqual({ ids: [id] })
    expect(await request({ filter: { type: 'command' } })).toEqual({ filter: { type: 'command' } })
  })
})

test('cancelling the request ends the call to the manager', async () => {
  const abort = new AbortController()
  let managerSignal: AbortSignal | undefined
  const host: ToolHost = {
    call: (_name, _request, signal) => {
      managerSignal = signal
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
    },
    submitContext: () => Promise.reject(new Error('not asked')),
    newIdempotencyKey: () => 'unused',
    newTaskId: () => 'unused',
  }
  const wait = tools.find(({ name }) => name === 'wait_for_jobs')
  const answer = wait?.run({ ids: [id] }, plainCall({ signal: abort.signal }), host)
  await expect.poll(() => managerSignal?.aborted).toBe(false)
  abort.abort(new Error('the client changed its mind'))
  expect(await answer).toMatchObject({ isError: true })
  expect(managerSignal?.aborted).toBe(true)
})

describe('every example in a description is a call that works', () => {
  test.each(tools.map((tool) => [tool.name, tool] as const))('%s', async (name, tool) => {
    const example = /Example: (\{.*\})$/.exec(tool.listed().description ?? '')?.[1]
    const { seen } = await callTool(name, JSON.parse(example ?? ''), new QueueError('internal', 'x'))
    expect(seen).toHaveLength(1)
  })
})
