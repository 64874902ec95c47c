import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { RemoteTask } from '../../../src/domain/ports/remote-executor.ts'
import { checkFault, type ExpectedEnd, leaseAndMargin } from '../../support/bad-worker/check-fault.ts'
import { useWorker } from '../../support/bad-worker/use-worker.ts'
import { type Misbehaviour, sha256Of } from '../../support/bad-worker/worker-stand-in.ts'

interface Row extends ExpectedEnd {
  readonly name: string
  /** What the worker says of the prediction when it has ended. */
  readonly says: Readonly<Record<string, unknown>>
  readonly task?: Partial<RemoteTask>
}

const failed = (code: string | null, more: object = {}): Record<string, unknown> => ({
  status: 'failed',
  error: 'it broke',
  error_code: code,
  ...more,
})
const ran = { runs: 1, within: [0, 20_000] } as const

/** The error table, for what a worker says of a run. */
const rows: readonly Row[] = [
  {
    ...ran,
    name: 'HANDLER_ERROR: failed, as the job is retried',
    says: failed('HANDLER_ERROR'),
    end: { kind: 'failed', retry: 'policy', error: { code: 'handler_failed', message: 'it broke' } },
    gpuError: 'HANDLER_ERROR',
  },
  {
    ...ran,
    name: 'HANDLER_ERROR with a wish: failed, as the handler wishes',
    says: failed('HANDLER_ERROR', { retry: { after_ms: 5_000 } }),
    end: { kind: 'failed', retry: { afterMs: 5_000 } },
  },
  {
    ...ran,
    name: 'HANDLER_ERROR that is never to be retried',
    says: failed('HANDLER_ERROR', { retry: 'never' }),
    end: { kind: 'failed', retry: 'never' },
  },
  {
    ...ran,
    name: 'BAD_INPUT: failed for good',
    says: failed('BAD_INPUT'),
    end: { kind: 'failed', retry: 'never', error: { code: 'handler_rejected' } },
    gpuError: 'BAD_INPUT',
  },
  {
    ...ran,
    name: 'RATE_LIMITED: the lane waits',
    says: failed('RATE_LIMITED', { retry: { after_ms: 9_000 } }),
    end: { kind: 'rate_limited', waitMs: 9_000, message: 'it broke' },
  },
  {
    ...ran,
    name: 'TIMEOUT of the unit',
    says: failed('TIMEOUT', { metrics: { progress: null, predict_time: 60 } }),
    task: { unitTimeoutMs: 60_000, idleTimeoutMs: 5_000 },
    end: { kind: 'timed_out', which: 'unit', limitMs: 60_000 },
  },
  {
    ...ran,
    name: 'TIMEOUT of its silence',
    says: failed('TIMEOUT', { metrics: { progress: null, predict_time: 7 } }),
    task: { unitTimeoutMs: 60_000, idleTimeoutMs: 5_000 },
    end: { kind: 'timed_out', which: 'idle', limitMs: 5_000 },
  },
  {
    ...ran,
    name: 'OUT_OF_MEMORY: here',
    says: failed('OUT_OF_MEMORY'),
    end: { kind: 'returned', to: 'local', why: 'out_of_memory' },
    gpuError: 'OUT_OF_MEMORY',
  },
  {
    ...ran,
    name: 'OUT_OF_MEMORY where nothing may fall back: failed',
    says: failed('OUT_OF_MEMORY'),
    task: { fallback: null },
    end: { kind: 'failed', error: { code: 'out_of_memory' } },
    gpuError: 'OUT_OF_MEMORY',
  },
  {
    ...ran,
    name: 'LEASE_EXPIRED: once more on a GPU, fallback or not',
    says: failed('LEASE_EXPIRED'),
    end: { kind: 'returned', to: 'gpu', why: 'lease_expired' },
    gpuError: 'LEASE_EXPIRED',
  },
  {
    ...ran,
    name: 'WORKER_RESTARTED, the first time: once more on a GPU',
    says: failed('WORKER_RESTARTED'),
    end: { kind: 'returned', to: 'gpu', why: 'restarted' },
    gpuError: 'WORKER_RESTARTED',
  },
  {
    ...ran,
    name: 'WORKER_RESTARTED again: here',
    says: failed('WORKER_RESTARTED'),
    task: { earlierRestarts: 1 },
    end: { kind: 'returned', to: 'local', why: 'restarted' },
    gpuError: 'WORKER_RESTARTED',
  },
  {
    ...ran,
    name: 'WORKER_RESTARTED again where nothing may fall back: a GPU',
    says: failed('WORKER_RESTARTED'),
    task: { earlierRestarts: 4, fallback: null },
    end: { kind: 'returned', to: 'gpu', why: 'restarted' },
  },
  {
    ...ran,
    name: 'WORKER_ERROR: here',
    says: failed('WORKER_ERROR'),
    end: { kind: 'returned', to: 'local', why: 'refused' },
    gpuError: 'WORKER_ERROR',
  },
  {
    ...ran,
    name: 'failed without a reason: here',
    says: failed(null, { error: null }),
    end: { kind: 'returned', to: 'local', why: 'refused' },
    gpuError: 'WORKER_ERROR',
  },
  {
    ...ran,
    name: 'cancelled by somebody over there: here',
    says: { status: 'canceled', error: null },
    end: { kind: 'returned', to: 'local', why: 'refused' },
    gpuError: 'CANCELED',
  },
]

describe('a run that ended with', () => {
  test.each(rows)('$name', async ({ says, task, ...expected }) => {
    await checkFault(await useWorker({ terminal: says }), expected, task)
  })
})

test('the worker is restarted in the middle: it says so, and one new attempt goes to a GPU', async () => {
  const restart: Misbehaviour = ({ route, earlier, worker }) => {
    if (route === 'get' && earlier === 2) worker.restart()
    return 'pass'
  }
  await checkFault(await useWorker({ misbehave: restart, polls: 100 }), {
    ...ran,
    end: { kind: 'returned', to: 'gpu', why: 'restarted' },
    gpuError: 'WORKER_RESTARTED',
  })
})

test('the worker forgot the run: it is gone, and not begun again under the same id', async () => {
  const forget: Misbehaviour = (exchange) => {
    if (exchange.route !== 'get' || exchange.earlier < 2) return 'pass'
    for (const run of exchange.worker.runs) run.status = 'canceled'
    exchange.json(404, { code: 'not_found', detail: 'no such prediction' })
    return undefined
  }
  await checkFault(await useWorker({ misbehave: forget, polls: 100 }), {
    ...ran,
    puts: 1,
    end: { kind: 'returned', to: 'gpu', why: 'restarted' },
    gpuError: 'WORKER_RESTARTED',
  })
})

test('a worker that never ends a unit: cancelled after its time, lease and margin', async () => {
  await checkFault(
    await useWorker({ polls: 100_000 }),
    {
      end: { kind: 'timed_out', which: 'unit', limitMs: 60_000 },
      runs: 1,
      within: [60_000 + leaseAndMargin, 60_000 + leaseAndMargin + 6_000],
    },
    { unitTimeoutMs: 60_000 },
  )
})

test('a worker that says it has ended, and later that it goes on, is heard once', async () => {
  const flip: Misbehaviour = (exchange) => {
    if (exchange.route !== 'get') return 'pass'
    const { body } = exchange.good()
    exchange.json(200, exchange.earlier === 0 ? { ...(body as object), status: 'succeeded', output: 'first' } : body)
    return undefined
  }
  await checkFault(await useWorker({ misbehave: flip, polls: 100 }), {
    ...ran,
    end: { kind: 'completed', result: 'first' },
  })
})

const file = Buffer.from('price,error\n10.45,0.005\n')
const artifact = { name: 'prices.csv', media_type: 'text/csv', bytes: file.length, sha256: sha256Of(file) }
const returnedRefused = { kind: 'returned', to: 'local', why: 'refused' } as const

describe('artifacts', () => {
  const withArtifacts = (artifacts: readonly object[], kept: ReadonlyMap<string, Buffer>) =>
    useWorker({ terminal: { artifacts }, files: kept })
  const kept = new Map([[sha256Of(file), file]])

  test('come home under their names', async () => {
    const setting = await withArtifacts([artifact], kept)
    const artifacts = [{ name: 'prices.csv', mediaType: 'text/csv', bytes: file.length, sha256: sha256Of(file) }]
    await checkFault(setting, { ...ran, end: { kind: 'completed', artifacts } })
    expect(readFileSync(join(setting.attempts.directory, 'artifacts', 'prices.csv'))).toEqual(file)
  })

  test.each([
    ['smaller than they say', { ...artifact, bytes: file.length + 1 }, 'WRONG_SIZE'],
    ['larger than they say', { ...artifact, bytes: 5 }, 'TOO_LARGE'],
    ['larger than any may be', { ...artifact, bytes: 2 ** 41 }, 'TOO_LARGE'],
    ['named after another folder', { ...artifact, name: '../../escaped' }, 'WRONG_NAME'],
    ['named after the folder above', { ...artifact, name: '..' }, 'WRONG_NAME'],
    ['named like a disk', { ...artifact, name: 'C:evil' }, 'WRONG_NAME'],
    ['named with a line break', { ...artifact, name: 'a\nb' }, 'WRONG_NAME'],
    ['not there', { ...artifact, sha256: 'a'.repeat(64) }, 'FILE_MISSING'],
  ])('that are %s do not come home', async (_, told, gpuError) => {
    const setting = await withArtifacts([told], kept)
    await checkFault(setting, { ...ran, end: returnedRefused, gpuError })
    expect(filesIn(join(setting.attempts.directory, 'artifacts'))).toEqual([])
  })

  test('of another content do not come home', async () => {
    const setting = await withArtifacts([artifact], new Map([[sha256Of(file), Buffer.from(file).fill('x')]]))
    await checkFault(setting, { ...ran, end: returnedRefused, gpuError: 'WRONG_HASH' })
    expect(filesIn(join(setting.attempts.directory, 'artifacts'))).toEqual([])
  })

  test('of the same name do not come home', async () => {
    const setting = await withArtifacts([artifact, { ...artifact, name: 'PRICES.csv' }], kept)
    await checkFault(setting, { ...ran, end: returnedRefused, gpuError: 'SAME_NAME' })
  })

  test('are asked for again when the connection breaks', async () => {
    const setting = await useWorker({
      terminal: { artifacts: [artifact] },
      files: kept,
      misbehave: ({ route, earlier, request }) => {
        if (route !== 'file' || earlier > 3) return 'pass'
        request.socket.destroy()
        return undefined
      },
    })
    await checkFault(setting, { ...ran, within: [0, 40_000], end: { kind: 'completed' } })
  })
})

describe('a result', () => {
  const big = JSON.stringify({ paths: 'x'.repeat(400_000) })

  test('that is large comes as a file', async () => {
    const says = { output: undefined, output_sha256: sha256Of(big) }
    const files = new Map([[sha256Of(big), Buffer.from(big)]])
    await checkFault(await useWorker({ terminal: says, files }), {
      ...ran,
      end: { kind: 'completed', result: JSON.parse(big) },
    })
  })

  test('of another content is none', async () => {
    const says = { output: undefined, output_sha256: sha256Of(big) }
    const files = new Map([[sha256Of(big), Buffer.from('{}')]])
    await checkFault(await useWorker({ terminal: says, files }), {
      ...ran,
      end: returnedRefused,
      gpuError: 'WRONG_HASH',
    })
  })

  test('that is no JSON is none', async () => {
    const says = { output: undefined, output_sha256: sha256Of('{') }
    const files = new Map([[sha256Of('{'), Buffer.from('{')]])
    await checkFault(await useWorker({ terminal: says, files }), {
      ...ran,
      end: returnedRefused,
      gpuError: 'NOT_JSON',
    })
  })
})

describe('a log', () => {
  test('whose offsets go backwards adds nothing, and the run ends all the same', async () => {
    const says = { logs: 'again and again\n', logs_next: 0, logs_total: 1_000_000 }
    const end = await checkFault(await useWorker({ always: says }), { ...ran, end: { kind: 'completed' } })
    expect(end).toMatchObject({ output: { bytes: 0 } })
  })

  test('that is said to be endless is fetched as far as it is kept, and the run ends', async () => {
    const endless: Misbehaviour = (exchange) => {
      if (exchange.route !== 'get') return 'pass'
      const from = Number(new URL(exchange.request.url ?? '', 'http://x').searchParams.get('logs_from'))
      const piece = 'x'.repeat(65_536)
      const { body } = exchange.good()
      const logs = { logs: piece, logs_next: from + piece.length, logs_total: 2 ** 50 }
      exchange.json(200, { ...(body as object), ...logs })
      return undefined
    }
    const setting = await useWorker({ misbehave: endless })
    const end = await checkFault(setting, { ...ran, end: { kind: 'completed' } }, { maxOutputBytes: 200_000 })
    const sizes = readdirSync(setting.attempts.directory).filter((name) => name.startsWith('output'))
    const bytes = sizes.reduce((sum, name) => sum + readFileSync(join(setting.attempts.directory, name)).length, 0)
    expect(bytes).toBeLessThan(300_000)
    expect(end).toMatchObject({ output: { droppedBytes: expect.any(Number) } })
  })
})

function filesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}
