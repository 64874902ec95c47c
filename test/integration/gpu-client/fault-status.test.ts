import { describe, expect, test } from 'vitest'
import type { RemoteTask } from '../../../src/domain/ports/remote-executor.ts'
import { always, type Breaker, brokenAnswers, onlyFor, status } from '../../support/bad-worker/broken-answers.ts'
import { checkFault, type ExpectedEnd, leaseAndMargin } from '../../support/bad-worker/check-fault.ts'
import { useWorker } from '../../support/bad-worker/use-worker.ts'
import type { Misbehaviour } from '../../support/bad-worker/worker-stand-in.ts'

interface Row extends ExpectedEnd {
  readonly name: string
  readonly misbehave: Misbehaviour
  readonly task?: Partial<RemoteTask>
}

const retryAfter = (code: number, seconds: string): Breaker => status(code, { 'retry-after': seconds })
const returned = { kind: 'returned', to: 'local' } as const
const completed = { kind: 'completed', result: { sum: 42 } } as const

const rows: readonly Row[] = [
  {
    name: '500: one more try, then back',
    misbehave: always(status(500)),
    end: { ...returned, why: 'refused' },
    runs: 0,
    puts: 2,
    within: [0, 1_000],
    gpuError: 'HTTP_500',
  },
  {
    name: '500 once',
    misbehave: onlyFor('put', 1, status(500)),
    end: completed,
    runs: 1,
    puts: 2,
    within: [0, 20_000],
  },
  {
    name: '500 although it took the request: it is cancelled there before anything else begins',
    misbehave: (exchange) => {
      if (exchange.route !== 'put') return 'pass'
      exchange.good()
      exchange.json(500, null)
      return undefined
    },
    end: { ...returned, why: 'refused' },
    runs: 1,
    puts: 2,
    within: [0, 5_000],
    gpuError: 'HTTP_500',
  },
  {
    name: '429 with Retry-After, twice: as long as it says',
    misbehave: onlyFor('put', 2, retryAfter(429, '7')),
    end: completed,
    runs: 1,
    puts: 3,
    within: [14_000, 34_000],
  },
  {
    name: '429 for ever: a minute at most',
    misbehave: always(retryAfter(429, '20')),
    end: { ...returned, why: 'busy' },
    runs: 0,
    puts: 4,
    within: [60_000, 60_000],
    gpuError: 'HTTP_429',
  },
  {
    name: '429 that asks for longer than it would be waited for: back at once',
    misbehave: always(retryAfter(429, '600')),
    end: { ...returned, why: 'busy' },
    runs: 0,
    puts: 1,
    within: [0, 0],
    gpuError: 'HTTP_429',
  },
  {
    name: '429 that asks for no pause at all: bounded all the same',
    misbehave: always(retryAfter(429, '0')),
    end: { ...returned, why: 'busy' },
    runs: 0,
    within: [55_000, 60_000],
    gpuError: 'HTTP_429',
  },
  {
    name: '409 busy, then free',
    misbehave: onlyFor('put', 1, status(409, { 'retry-after': '3' }, { code: 'busy', detail: 'no free slot' })),
    end: completed,
    runs: 1,
    puts: 2,
    within: [3_000, 23_000],
  },
  {
    name: '409 busy for ever',
    misbehave: always(status(409, {}, { code: 'busy', detail: 'no free slot' })),
    end: { ...returned, why: 'busy' },
    runs: 0,
    within: [50_000, 60_000],
    gpuError: 'BUSY',
  },
  {
    name: '409 busy for ever, where nothing may fall back: to the next GPU',
    misbehave: always(status(409, {}, { code: 'busy', detail: 'no free slot' })),
    task: { fallback: null },
    end: { kind: 'returned', to: 'gpu', why: 'busy' },
    runs: 0,
    within: [50_000, 60_000],
    gpuError: 'BUSY',
  },
  {
    name: '503 while it starts',
    misbehave: onlyFor('put', 3, status(503, { 'retry-after': '2' }, { code: 'not_ready', detail: 'starting' })),
    end: completed,
    runs: 1,
    puts: 4,
    within: [6_000, 26_000],
  },
  {
    name: '502 of a proxy that lost the answer: over only with the lease',
    misbehave: (exchange) => {
      if (exchange.route === 'put') exchange.good()
      exchange.json(502, null)
      return undefined
    },
    end: { ...returned, why: 'busy' },
    runs: 1,
    within: [leaseAndMargin, 60_000 + leaseAndMargin + 6_000],
    gpuError: 'HTTP_502',
  },
  {
    name: '401: no second try',
    misbehave: always(status(401, {}, { code: 'key_refused', detail: 'wrong key' })),
    end: { ...returned, why: 'refused' },
    runs: 0,
    puts: 1,
    within: [0, 0],
    gpuError: 'HTTP_401',
  },
  {
    name: '403: no second try',
    misbehave: always(status(403)),
    end: { ...returned, why: 'refused' },
    runs: 0,
    puts: 1,
    within: [0, 0],
    gpuError: 'HTTP_403',
  },
  {
    name: '404 for the request: it is no worker',
    misbehave: always(status(404)),
    end: { ...returned, why: 'refused' },
    runs: 0,
    puts: 1,
    within: [0, 0],
    gpuError: 'HTTP_404',
  },
  {
    name: '422: the job fails, the same input would be refused again',
    misbehave: always(status(422, {}, { code: 'bad_request', detail: 'paths must be positive' })),
    end: {
      kind: 'failed',
      retry: 'never',
      error: { code: 'handler_rejected', message: expect.stringContaining('paths must be positive') },
    },
    runs: 0,
    puts: 1,
    within: [0, 0],
    gpuError: 'HTTP_422',
  },
  {
    name: '413: the job fails',
    misbehave: always(status(413, {}, { code: 'too_large', detail: 'more than 1 GiB' })),
    end: { kind: 'failed', retry: 'never' },
    runs: 0,
    puts: 1,
    within: [0, 0],
    gpuError: 'TOO_LARGE',
  },
  {
    name: 'the key is refused in the middle: asked no more, over with the lease',
    misbehave: (exchange) => {
      if (exchange.route === 'put' || (exchange.route === 'get' && exchange.earlier === 0)) return 'pass'
      exchange.json(401, null)
      return undefined
    },
    end: { ...returned, why: 'refused' },
    runs: 1,
    puts: 1,
    within: [leaseAndMargin, leaseAndMargin + 6_000],
    gpuError: 'HTTP_401',
  },
]

describe('a worker that answers', () => {
  test.each(rows)('$name', async ({ misbehave, task, ...expected }) => {
    await checkFault(await useWorker({ misbehave }), expected, task)
  })
})

test('a refused key is asked about twice at most while the lease ends', async () => {
  const setting = await useWorker({
    misbehave: (exchange) => {
      if (exchange.route === 'put') return 'pass'
      exchange.json(401, null)
      return undefined
    },
  })
  await setting.attempts.start().ended
  expect(setting.worker.requests.filter(({ route }) => route === 'get').length).toBeLessThanOrEqual(2)
})

test('a worker that repeats the key in whatever it says gets it into nothing', async () => {
  const setting = await useWorker({
    misbehave: (exchange) => {
      const key = exchange.request.headers.authorization ?? ''
      if (exchange.route === 'put') {
        exchange.good()
        exchange.json(500, { code: 'not_ready', detail: `your header was ${key}` })
      } else {
        const { body } = exchange.good()
        const said = { ...(body as object), status: 'failed', error: key, error_code: 'HANDLER_ERROR' }
        exchange.json(200, { ...said, logs: key, logs_next: key.length, logs_total: key.length })
      }
      return undefined
    },
  })
  await checkFault(setting, { end: { kind: 'failed' }, runs: 1, within: [0, 5_000], gpuError: 'HANDLER_ERROR' })
})

test('a refusal without words is as good as one with them', async () => {
  const setting = await useWorker({ misbehave: always(brokenAnswers['answers 204 without content']) })
  const end = await setting.attempts.start().ended
  expect(end).toMatchObject({ error: { message: expect.stringMatching(/GPU worker "rig": .*204/) } })
})
