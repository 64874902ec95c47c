import type { Chance } from './chance.ts'

export type Era = 'legacy' | 'modern'
export type Frame = Record<string, unknown>

export const modernVersion = '2026-07-28'
export const legacyVersion = '2025-11-25'
const tasksExtension = 'io.modelcontextprotocol/tasks'
const clientInfo = { name: 'fuzz', version: '1.0.0' }
/** Paused before the first frame: what is submitted there never starts. */
export const pausedQueues: readonly string[] = ['default', 'fuzz']
/** So few that mutated submits repeat jobs instead of adding ever more. */
const idempotencyKeys = 50

/** What every request of the modern era carries. */
export function envelope(more: Frame = {}): Frame {
  return {
    'io.modelcontextprotocol/protocolVersion': modernVersion,
    'io.modelcontextprotocol/clientInfo': clientInfo,
    'io.modelcontextprotocol/clientCapabilities': { elicitation: {}, extensions: { [tasksExtension]: {} } },
    ...more,
  }
}

export function initializeFrame(id: string | number, version = legacyVersion): Frame {
  const params = { protocolVersion: version, capabilities: {}, clientInfo }
  return { jsonrpc: '2.0', id, method: 'initialize', params }
}

export function discoverFrame(id: string | number): Frame {
  return { jsonrpc: '2.0', id, method: 'server/discover', params: { _meta: envelope() } }
}

/** A call that any healthy server answers with a result. */
export function statusCall(id: string | number, era: Era): Frame {
  const params = { name: 'queue_status', arguments: {} }
  const meta = era === 'modern' ? { _meta: envelope() } : {}
  return { jsonrpc: '2.0', id, method: 'tools/call', params: { ...params, ...meta } }
}

function jobIdOf(chance: Chance): string {
  const tail = chance
    .below(2 ** 32)
    .toString(16)
    .padStart(12, '0')
  return `01890a5d-ac96-774b-bcce-${tail}`
}

function taskIdOf(chance: Chance): string {
  return chance
    .below(2 ** 32)
    .toString(16)
    .padStart(32, '0')
}

/** Calls of every tool; work that they start is `true` in a paused queue. @param cwd a directory for commands */
function toolCalls(chance: Chance, cwd: string): readonly (readonly [string, Frame])[] {
  const id = jobIdOf(chance)
  const queue = 'fuzz'
  const params = { argv: ['true'], cwd }
  const key = { idempotency_key: `fuzz-${chance.below(idempotencyKeys)}` }
  return [
    ['submit_job', { params, queue, name: 'Fuzz', labels: { by: 'fuzz' }, ...key }],
    ['submit_job', { type: 'noop', params: {}, queue, units: [1, { a: 'b' }], concurrency: 1, ...key }],
    ['submit_job', { params, queue, source: { kind: 'range', from: 1, to: 3 }, test_first: 1, ...key }],
    ['add_units', { id, units: ['a', 'b'] }],
    ['cancel_job', { ids: [id] }],
    ['decide_job', { id, decision: 'approve' }],
    ['delete_jobs', { filter: { states: ['completed'], created_before: '2031-05-04T00:00:00Z' }, dry_run: true }],
    ['export_jobs', { ids: [id], what: 'units', format: 'csv' }],
    ['job_logs', { id, mode: 'tail', max_lines: 50 }],
    ['job_result', { id }],
    ['job_status', { ids: [id] }],
    ['list_job_types', { type: 'command' }],
    ['list_jobs', { states: ['failed'], text: 'backup', limit: 10, cursor: 'bm90IGEgY3Vyc29y' }],
    ['list_schedules', { name: 'nightly', history: 20 }],
    ['list_units', { id, states: ['failed'] }],
    ['pause_job', { ids: [id] }],
    ['queue_status', {}],
    ['remove_schedule', { name: 'nightly' }],
    ['rerun_job', { id, overrides: { params: { argv: ['true'] } } }],
    ['resume_job', { ids: [id] }],
    ['schedule_job', { name: 'yearly', cron: '0 0 1 1 *', time_zone: 'UTC', job: { params, queue } }],
    ['send_input', { id, text: 'yes' }],
    ['update_job', { id, priority: 'urgent', concurrency: 8 }],
    ['wait_for_jobs', { ids: [id], timeout_s: 0 }],
    ['whats_new', { client: 'fuzz' }],
  ]
}

type Call = readonly [method: string, params?: Frame]

function requestsOf(era: Era, chance: Chance, cwd: string): readonly Call[] {
  const id = jobIdOf(chance)
  const taskId = taskIdOf(chance)
  const [name, input] = chance.pick(toolCalls(chance, cwd))
  const call: Call = ['tools/call', { name, arguments: input, _meta: { progressToken: chance.below(1_000) } }]
  const shared: readonly Call[] = [
    call,
    call,
    call,
    ['tools/list', {}],
    ['resources/list', {}],
    ['resources/templates/list'],
    ['resources/read', { uri: `job://${id}` }],
    ['resources/read', { uri: 'queue://status' }],
    ['prompts/list', { cursor: 'bm90IGEgY3Vyc29y' }],
    ['prompts/get', { name: 'resume_my_work', arguments: {} }],
    [
      'completion/complete',
      { ref: { type: 'ref/resource', uri: 'job://{id}/log' }, argument: { name: 'id', value: '01' } },
    ],
    ['completion/complete', { ref: { type: 'ref/prompt', name: 'plan_batch' }, argument: { name: 'goal', value: '' } }],
    ['tasks/get', { taskId }],
    ['tasks/update', { taskId, inputResponses: { a: { action: 'accept', content: { decision: 'approve' } } } }],
    ['tasks/cancel', { taskId }],
    ['tasks/list', {}],
    ['no/such/method', {}],
  ]
  const legacy: readonly Call[] = [
    ['ping'],
    ['logging/setLevel', { level: 'debug' }],
    ['resources/subscribe', { uri: `job://${id}` }],
    ['resources/unsubscribe', { uri: `job://${id}` }],
    ['initialize', { protocolVersion: legacyVersion, capabilities: {}, clientInfo }],
  ]
  const filter = { toolsListChanged: true, resourceSubscriptions: [`job://${id}`], taskIds: [taskId] }
  const modern: readonly Call[] = [
    ['server/discover', {}],
    ['subscriptions/listen', { notifications: filter }],
  ]
  return [...shared, ...(era === 'legacy' ? legacy : modern)]
}

function unasked(era: Era, chance: Chance): readonly Frame[] {
  const requestId = `f${chance.below(2_000)}`
  return [
    { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId, reason: 'fuzz' } },
    { jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 1, progress: 0.5, total: 1 } },
    { jsonrpc: '2.0', method: era === 'legacy' ? 'notifications/initialized' : 'notifications/roots/list_changed' },
    { jsonrpc: '2.0', id: chance.below(100), result: {} },
    { jsonrpc: '2.0', id: `unasked-${chance.below(100)}`, error: { code: -32601, message: 'no' } },
  ]
}

/** @returns a frame that a well-behaved client of this era may send. @param id of the request, when it is one */
export function validFrame(era: Era, chance: Chance, id: string | number, cwd: string): Frame {
  if (chance.happens(0.12)) return chance.pick(unasked(era, chance))
  const [method, params] = chance.pick(requestsOf(era, chance, cwd))
  const frame: Frame = { jsonrpc: '2.0', id, method }
  if (era === 'legacy') return params === undefined ? frame : { ...frame, params }
  const own = (params?.['_meta'] ?? {}) as Frame
  return { ...frame, params: { ...params, _meta: envelope(own) } }
}
