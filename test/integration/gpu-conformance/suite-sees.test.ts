import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { allChecks } from '../../../src/gpu-client/conformance/all-checks.ts'
import { useTemporaryHome } from '../../support/temporary-home.ts'
import { type Bend, type BentAnswer, type BentRequest, bendWorker, withInput, withJson } from './support/bent-worker.ts'
import { python, startPythonWorker } from './support/python-worker.ts'
import { runSuite } from './support/running-worker.ts'

type JsonObject = Record<string, unknown>

/** Changes the JSON of answers to what matches. */
function answers(method: string, path: RegExp, change: (value: JsonObject) => JsonObject): Bend {
  return async (request, pass) => {
    const answer = await pass(request)
    return request.method === method && path.test(request.path) ? withJson(answer, change) : answer
  }
}

function inputs(change: (input: JsonObject) => JsonObject): Bend {
  return (request, pass) => pass(withInput(request, change))
}

function without(value: JsonObject, name: string): JsonObject {
  const { [name]: _, ...rest } = value
  return rest
}

function lease(change: (request: BentRequest) => string | null): Bend {
  return (request, pass) => {
    const { 'worker-lease': _, ...headers } = request.headers
    const value = change(request)
    return pass({ ...request, headers: value === null ? headers : { ...headers, 'worker-lease': value } })
  }
}

const given = (request: BentRequest): string | null => request.headers['worker-lease'] ?? null
const one = /^\/predictions\/[^/]+$/
const health = /^\/health-check$/
const empty = (status: number): BentAnswer => ({ status, headers: {}, body: Buffer.alloc(0) })

/** Whoever asks has the right key. */
const everybody: Bend = (request, pass, key) =>
  pass({ ...request, headers: { ...request.headers, authorization: `Bearer ${key}` } })

const tellsKey: Bend = async (request, pass) =>
  withJson(await pass(request), (value) => ({ ...value, detail: `not ${request.headers['authorization']}` }))

/** Like Cog: what is known is run again. */
const runsAgain: Bend = async (request, pass) => {
  if (request.method === 'PUT' && one.test(request.path)) {
    await pass({
      ...request,
      method: 'DELETE',
      body: Buffer.alloc(0),
      headers: without(request.headers, 'content-length') as Record<string, string>,
    })
  }
  return pass(request)
}

/** The result can be read once. */
function readsOnce(): Bend {
  const read = new Set<string>()
  return async (request, pass) => {
    const answer = await pass(request)
    if (request.method !== 'GET' || !one.test(request.path)) return answer
    if (read.has(request.path)) return { ...empty(404), headers: { 'content-type': 'application/problem+json' } }
    if (answer.body.includes('"succeeded"')) read.add(request.path)
    return answer
  }
}

const statusInstead =
  (method: string, path: RegExp, status: number): Bend =>
  async (request, pass) =>
    request.method === method && path.test(request.path) ? empty(status) : pass(request)

const codeInstead =
  (from: number, to: number): Bend =>
  async (request, pass) => {
    const answer = await pass(request)
    return answer.status === from ? { ...answer, status: to } : answer
  }

/** What is bent, how, and the checks that must see it. */
const bends: readonly (readonly [string, Bend | (() => Bend), readonly string[]])[] = [
  [
    'no address to GET a prediction',
    answers('GET', /^\/$/, (map) => without(map, 'predictions_get_url')),
    ['discovery/map'],
  ],
  ['a health check without slots', answers('GET', health, (value) => without(value, 'slots')), ['discovery/health']],
  ['another protocol', answers('GET', health, (value) => ({ ...value, protocol: 2 })), ['discovery/protocol-version']],
  [
    'a software adapter as a GPU',
    answers('GET', health, (value) => ({
      ...value,
      gpus: [
        {
          index: 0,
          name: 'llvmpipe',
          uuid: null,
          memory_total_mb: null,
          memory_used_mb: null,
          driver_version: null,
          utilization: null,
          software: false,
        },
      ],
    })),
    ['discovery/honest-gpus'],
  ],
  [
    'free slots that do not exist',
    answers('GET', health, (value) => ({ ...value, slots: { total: 1, free: 2 } })),
    ['discovery/slots'],
  ],
  ['no look at the key', everybody, ['key/missing', 'key/wrong', 'key/put-runs-nothing', 'key/files']],
  ['a refusal that repeats the key', tellsKey, ['key/not-told']],
  ['500 for a body that is too large', (request, pass) => pass(request), ['http/too-large']],
  [
    '200 for everything that is missing',
    codeInstead(404, 200),
    ['http/unknown-id', 'http/unknown-route', 'cancel/unknown', 'run/delete'],
  ],
  ['500 for malformed bodies', codeInstead(400, 500), ['submit/malformed']],
  ['no attempt token', answers('GET', one, (value) => ({ ...value, attempt_token: null })), ['submit/token-echoed']],
  [
    'a new boot id in every prediction',
    answers('PUT', one, (value) => ({ ...value, boot_id: 'another' })),
    ['submit/boot-id'],
  ],
  [
    'a second run for a second PUT',
    runsAgain,
    ['submit/repeat-while-running', 'submit/repeat-after-end', 'submit/other-input', 'cancel/not-run-again'],
  ],
  [
    'the id of the body ignored',
    (request, pass) => pass(withBody(request, (body) => without(body, 'id'))),
    ['submit/other-id'],
  ],
  ['unknown types run as sleep', inputs((input) => ({ ...input, type: 'sleep' })), ['submit/unknown-type']],
  ['versions ignored', inputs((input) => ({ ...input, version: '1' })), ['submit/unknown-version']],
  ['an output that was touched', answers('GET', one, (value) => ({ ...value, output: 'other' })), ['run/output']],
  ['no progress', answers('GET', one, (value) => ({ ...value, metrics: {} })), ['run/progress']],
  [
    'all errors the same',
    answers('GET', one, (value) => (value['error_code'] === null ? value : { ...value, error_code: 'WORKER_ERROR' })),
    ['run/handler-error', 'run/bad-input', 'run/time-limit'],
  ],
  ['time limits ignored', inputs((input) => without(input, 'timeout_ms')), ['run/time-limit']],
  ['results that are gone once read', readsOnce, ['run/result-kept']],
  ['a DELETE that does nothing', statusInstead('DELETE', one, 204), ['run/delete']],
  [
    'logs from the beginning every time',
    (request, pass) => pass({ ...request, path: request.path.replace(/logs_from=\d+/, 'logs_from=0') }),
    ['run/logs-from'],
  ],
  [
    'leases that are ten times as long',
    lease((request) => (given(request) === null ? null : `${given(request)}0`)),
    ['lease/told', 'lease/expiry-cancels'],
  ],
  ['no leases', lease(() => null), ['lease/told', 'lease/get-renews', 'lease/too-late', 'lease/default-is-cancel']],
  ['a look that renews', lease(() => '60'), ['lease/none', 'lease/look-does-not-renew', 'lease/expiry-cancels']],
  [
    'a GET that never renews',
    lease((request) => (request.method === 'GET' ? null : given(request))),
    ['lease/get-renews'],
  ],
  [
    'a repeated PUT without its lease',
    (request, pass) =>
      /"seconds":30\b/.test(request.body.toString())
        ? pass({ ...request, headers: { ...request.headers, 'worker-lease': '10' } })
        : pass(request),
    ['lease/put-renews'],
  ],
  [
    'finish taken for cancel',
    inputs((input) => ({ ...input, on_lease_end: 'cancel' })),
    ['lease/finish', 'lease/cancel-beats-finish'],
  ],
  [
    'cancel taken for finish',
    inputs((input) => ({ ...input, on_lease_end: 'finish' })),
    ['lease/expiry-cancels', 'lease/default-is-cancel'],
  ],
  [
    'a cancel that does nothing',
    (request, pass) =>
      request.path.endsWith('/cancel')
        ? pass({ ...request, method: 'GET', path: request.path.replace('/cancel', '') })
        : pass(request),
    ['cancel/ends', 'cancel/not-run-again'],
  ],
  ['a second cancel that is refused', answersOnce('/cancel', 409), ['cancel/idempotent']],
  [
    'busy without Retry-After',
    async (request, pass) => ({ ...(await pass(request)), headers: { 'content-type': 'application/json' } }),
    ['slots/busy'],
  ],
  ['busy as 503', codeInstead(409, 503), ['slots/busy']],
  [
    'a health check that is always READY',
    answers('GET', health, (value) => ({ ...value, status: 'READY' })),
    ['slots/busy-told'],
  ],
  [
    'every file is said to be there',
    async (request, pass) => (request.method === 'HEAD' ? empty(200) : pass(request)),
    ['files/round-trip', 'files/wrong-hash'],
  ],
  ['damaged files accepted', codeInstead(422, 201), ['files/wrong-hash', 'files/missing']],
  [
    'a resume that is dropped',
    inputs((input) => without(input, 'resume')),
    ['checkpoint/resume', 'checkpoint/resume-file', 'checkpoint/seq-goes-on', 'checkpoint/unknown-format'],
  ],
  [
    'any format taken for its own',
    inputs((input) => ({ ...input, resume: { ...(input['resume'] as JsonObject), format: 'sleep/1' } })),
    ['checkpoint/unknown-format'],
  ],
  [
    'no checkpoints',
    answers('GET', one, (value) => ({ ...value, checkpoint: null })),
    ['checkpoint/told', 'checkpoint/kept-after-end'],
  ],
  [
    'a code that says nothing',
    async (request, pass) => {
      const answer = await pass(request)
      return answer.status < 400 ? answer : withJson(answer, (value) => ({ ...value, code: 'bad_request' }))
    },
    [
      'key/missing',
      'http/unknown-id',
      'submit/unknown-type',
      'submit/unknown-version',
      'submit/other-input',
      'slots/busy',
      'files/wrong-hash',
    ],
  ],
  [
    'a health check without the job type',
    answers('GET', health, (value) => ({ ...value, job_types: {} })),
    ['discovery/job-type'],
  ],
  [
    'a boot id of its own for every answer',
    answers('GET', health, (value) => ({ ...value, boot_id: randomUUID() })),
    ['discovery/boot-id'],
  ],
  [
    'refusals as pages',
    async (request, pass) => ({ ...(await pass(request)), headers: { 'content-type': 'text/html' } }),
    ['http/problem-details'],
  ],
  [
    'a crash at odd ids',
    (request, pass) => (/%|x{99}/.test(request.path) ? empty(500) : pass(request)),
    ['http/odd-ids', 'files/no-hash'],
  ],
  ['any method accepted', codeInstead(405, 200), ['http/wrong-method']],
  [
    'a crash at odd offsets',
    (request, pass) => (/logs_from=\D/.test(request.path) ? empty(500) : pass(request)),
    ['http/bad-offset'],
  ],
  ['201 for an accepted PUT', codeInstead(202, 201), ['submit/accepted']],
  [
    'missing fields made up',
    inputs((input) => ({ type: 'sleep', version: '1', params: { seconds: 0 }, attempt_token: 'x', seed: 1, ...input })),
    ['submit/missing-fields'],
  ],
  [
    'a crash at hostile keys',
    (request, pass) => (request.body.includes('__proto__') ? empty(500) : pass(request)),
    ['submit/hostile-keys'],
  ],
  [
    'times out of order',
    answers('GET', one, (value) => ({ ...value, completed_at: '2001-01-01T00:00:00.000Z' })),
    ['run/times'],
  ],
  [
    'files that are cut',
    async (request, pass) => {
      const answer = await pass(request)
      const isFile = request.method === 'GET' && request.path.startsWith('/files/')
      return isFile ? { ...answer, body: answer.body.subarray(0, 1_000) } : answer
    },
    ['run/large-output', 'files/round-trip'],
  ],
  [
    'a cancel that overwrites a result',
    answers('POST', /cancel$/, (value) => ({ ...value, status: 'canceled' })),
    ['cancel/too-late'],
  ],
  ['busy for what it knows', busyWhen('known'), ['slots/known-while-busy']],
  ['slots that leak', busyWhen('cancelled'), ['slots/freed']],
  ['a file that is refused the second time', fileOnce, ['files/repeat']],
  [
    'inputs in files unknown',
    (request, pass) => (request.body.includes('input_sha256') ? empty(422) : pass(request)),
    ['files/input', 'files/missing'],
  ],
]

function withBody(request: BentRequest, change: (body: JsonObject) => JsonObject): BentRequest {
  const { body } = withJson({ status: 200, headers: {}, body: request.body }, change)
  return { ...request, body }
}

function answersOnce(end: string, status: number): () => Bend {
  return () => {
    const seen = new Set<string>()
    return async (request, pass) => {
      if (!request.path.endsWith(end)) return pass(request)
      if (seen.has(request.path)) return empty(status)
      seen.add(request.path)
      return pass(request)
    }
  }
}

/** Says busy to what is known already, or to everything once a run was cancelled. */
function busyWhen(when: 'known' | 'cancelled'): () => Bend {
  return () => {
    const known = new Set<string>()
    let wasCancelled = false
    return async (request, pass) => {
      wasCancelled ||= request.path.endsWith('/cancel')
      if (request.method !== 'PUT' || !one.test(request.path)) return pass(request)
      if (when === 'known' ? known.has(request.path) : wasCancelled) return empty(409)
      known.add(request.path)
      return pass(request)
    }
  }
}

function fileOnce(): Bend {
  const sent = new Set<string>()
  return (request, pass) => {
    if (request.method !== 'PUT' || !request.path.startsWith('/files/')) return pass(request)
    if (sent.has(request.path)) return empty(409)
    sent.add(request.path)
    return pass(request)
  }
}

function isMaker(bend: Bend | (() => Bend)): bend is () => Bend {
  return bend.length === 0
}

test('every check is seen to fail', () => {
  const seen = new Set(bends.flatMap(([, , names]) => names))
  expect(allChecks.map((check) => check.name).filter((name) => !seen.has(name))).toEqual([])
})

/** They wait more than they compute: some at a time. */
const atOnce = 6
const together = Array.from({ length: Math.ceil(bends.length / atOnce) }, (_, at) => {
  const some = bends.slice(at * atOnce, (at + 1) * atOnce)
  return { some, title: some.map(([what]) => what).join('; ') }
})

describe.skipIf(python === null)('the suite sees', () => {
  test.each(together)('$title', async ({ some }) => {
    await Promise.all(
      some.map(async ([what, bend, names]) => {
        const { home } = useTemporaryHome()
        const worker = await startPythonWorker(join(home, 'worker'))
        const bent = await bendWorker(worker, isMaker(bend) ? bend() : bend)
        const { checks } = await runSuite(bent, { only: names, patienceMs: 2_500 })
        const failed = checks.filter((check) => check.status === 'failed').map((check) => check.name)
        expect(failed.sort(), what).toEqual([...names].sort())
      }),
    )
  })

  test('nothing wrong when nothing is bent', async () => {
    const { home } = useTemporaryHome()
    const worker = await startPythonWorker(join(home, 'worker'))
    const same = await bendWorker(worker, (request, pass) => pass(request))
    const { checks, failed } = await runSuite(same, { only: ['discovery/', 'key/', 'submit/', 'files/', 'cancel/'] })
    expect(checks.filter((check) => check.status !== 'ok')).toEqual([])
    expect(failed).toBe(0)
  })
})
