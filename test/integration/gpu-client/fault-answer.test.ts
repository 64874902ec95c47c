import { describe, expect, test } from 'vitest'
import type { HarnessOptions } from '../../support/bad-worker/attempt-harness.ts'
import {
  always,
  type Breaker,
  type BrokenAnswer,
  brokenAnswers,
  once,
} from '../../support/bad-worker/broken-answers.ts'
import { checkFault, leaseAndMargin } from '../../support/bad-worker/check-fault.ts'
import { useWorker } from '../../support/bad-worker/use-worker.ts'

type Special = 'answers twice' | 'redirects to another server'

/**
 * Each of them says nothing of the run: it may go on, so that it is asked for, and over only with its lease. With what is shown as
 * having gone wrong when it never answers well.
 */
const rows: Readonly<Record<Exclude<BrokenAnswer, Special>, string | RegExp>> = {
  'hangs before the headers': /UND_ERR_HEADERS_TIMEOUT|DEADLINE/,
  'hangs in the body': /UND_ERR_BODY_TIMEOUT|DEADLINE/,
  'drips byte by byte': 'DEADLINE',
  'answers 204 without content': 'HTTP_204',
  'sends what is no JSON': 'NOT_JSON',
  'sends half of the JSON': 'NOT_JSON',
  'breaks the connection in the body': /UND_ERR_SOCKET|ECONNRESET/,
  'does it and breaks the connection': /UND_ERR_SOCKET|ECONNRESET/,
  'sends __proto__': 'FORBIDDEN_KEY',
  'answers about another id': 'WRONG_ID',
  'answers without an id': 'WRONG_SHAPE',
  'answers for an old attempt': 'WRONG_TOKEN',
  'answers without a token': 'WRONG_TOKEN',
  'speaks no HTTP': 'NOT_HTTP',
  'sends a body without end': 'TOO_LARGE',
  'sends a gzip bomb': 'CONTENT_ENCODING',
  'sends headers without end': 'NOT_HTTP',
  'says less than it sends': /NOT_JSON|NOT_HTTP|UND_ERR_SOCKET/,
  'says more than it sends': /UND_ERR_SOCKET|ECONNRESET|UND_ERR_BODY_TIMEOUT/,
  'says that it sends a terabyte': 'TOO_LARGE',
  'nests without end': 'TOO_DEEP',
  'sends an unknown status': 'WRONG_SHAPE',
  'sends a number where text belongs': 'WRONG_SHAPE',
}

const names = Object.keys(rows) as (keyof typeof rows)[]
const hanging: readonly string[] = ['hangs before the headers', 'hangs in the body', 'drips byte by byte']
/** A request that hangs takes its time on every clock. */
const timeoutsFor = (name: string, headersMs: number): Partial<HarnessOptions> =>
  hanging.includes(name)
    ? { timeouts: { connectMs: 3_000, headersMs, bodyMs: headersMs, totalMs: headersMs + 100 } }
    : {}
const completed = { end: { kind: 'completed', result: { sum: 42 } }, runs: 1, within: [0, 30_000], puts: 1 } as const

describe('a worker that', () => {
  test.each(names)('%s, always: given back only when the lease is over, one run, the reason shown', async (name) => {
    const setting = await useWorker({ misbehave: always(brokenAnswers[name]), polls: 1_000 }, timeoutsFor(name, 120))
    await checkFault(setting, {
      end: { kind: 'returned', to: 'local' },
      runs: 1,
      within: [leaseAndMargin, leaseAndMargin + 6_000],
      gpuError: rows[name],
    })
  })

  test.each(names)('%s, when the request is sent: it is asked for, found and brought home, one run', async (name) => {
    const setting = await useWorker({ misbehave: once('put', brokenAnswers[name]) }, timeoutsFor(name, 600))
    await checkFault(setting, completed)
  })

  test.each(names)('%s, at one poll: it goes on, and no lease is renewed in doubt', async (name) => {
    const setting = await useWorker({ misbehave: once('get', brokenAnswers[name]) }, timeoutsFor(name, 600))
    await checkFault(setting, completed)
    const leases = setting.worker.requests.filter(({ route }) => route === 'get').map(({ lease }) => lease)
    expect(leases.slice(0, 3)).toEqual(['60', null, '60'])
  })
})

test('an answer that comes twice counts once, and the second is heard by nobody', async () => {
  const setting = await useWorker({ misbehave: always(brokenAnswers['answers twice']), polls: 12 })
  const end = await checkFault(setting, completed)
  expect(end).not.toMatchObject({ result: 'the second answer' })
})

test('a redirect is never followed, does nothing and is over at once', async () => {
  const elsewhere = await useWorker()
  const stolen = `${elsewhere.worker.url}/predictions/stolen`
  const redirect: Breaker = ({ response }) => void response.writeHead(307, { location: stolen }).end()
  const setting = await useWorker({ misbehave: always(redirect) })
  await checkFault(setting, {
    end: { kind: 'returned', to: 'local', why: 'refused' },
    runs: 0,
    within: [0, 1_000],
    gpuError: 'REDIRECT',
  })
  expect(elsewhere.worker.requests).toEqual([])
})

test('a redirect at one poll is a lost answer', async () => {
  await checkFault(await useWorker({ misbehave: once('get', brokenAnswers['redirects to another server']) }), completed)
})

test('a worker that floods every answer takes no memory, however often it is asked', async () => {
  const setting = await useWorker({ misbehave: always(brokenAnswers['sends a body without end']), polls: 1_000 })
  const flooded = async (attempt: number): Promise<void> => {
    const end = await setting.attempts.start({ fence: { unitId: 'u', attempt, nonce: 'n', workerId: 'w' } }).ended
    expect(end.kind).toBe('returned')
  }
  await flooded(1)
  const before = process.memoryUsage().rss
  for (let attempt = 2; attempt < 6; attempt += 1) await flooded(attempt)
  expect(process.memoryUsage().rss - before, 'bytes').toBeLessThan(96 * 1024 * 1024)
})
