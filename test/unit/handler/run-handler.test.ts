import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { Cancelled, defineHandler, RateLimited, Reject, Retry, z } from '../../../src/handler/index.ts'
import { runHandler } from '../../../src/handler/testing/index.ts'

const params = z.object({ steps: z.int().default(3) })

const counting = defineHandler({
  type: 'counting',
  title: 'Count',
  description: 'Counts.',
  params,
  result: z.object({ counted: z.int() }),
  checkpoint: z.object({ next: z.int() }),
  async run({ params: { steps }, lastCheckpoint, cancellation, checkpoint, progress }) {
    for (let step = lastCheckpoint?.next ?? 0; step < steps; step += 1) {
      cancellation.throwIfCancelled()
      progress(step + 1, steps, `step ${step + 1}`)
      checkpoint({ next: step + 1 })
      await cancellation.wait(0)
    }
    return { counted: steps }
  },
})

function throwing(make: () => unknown) {
  return defineHandler({
    type: 'throwing',
    title: 'Throw',
    description: 'Throws.',
    params: z.object({}),
    result: z.unknown(),
    run() {
      throw make()
    },
  })
}

function using<Result>(run: Parameters<typeof defineHandler<z.ZodObject, z.ZodType<Result>>>[0]['run']) {
  return defineHandler({
    type: 'using',
    title: 'Use',
    description: 'Uses.',
    params: z.object({}),
    result: z.any(),
    run,
  })
}

describe('runHandler', () => {
  test('gives defaults, and records progress and checkpoints', async () => {
    const run = await runHandler(counting, { params: {} })
    expect(run.outcome).toEqual({ kind: 'completed' })
    expect(run.result).toEqual({ counted: 3 })
    expect(run.progress.at(-1)).toEqual({ current: 3, total: 3, message: 'step 3', stage: null })
    expect(run.checkpoints).toEqual([{ next: 1 }, { next: 2 }, { next: 3 }])
  })

  test('says what to compute on, and tells what was reported', async () => {
    const handler = using(({ compute, reportDevice }) => {
      reportDevice(compute === 'gpu' ? ' NVIDIA H200\n' : 'the processor', compute)
      return compute
    })
    const onCpu = await runHandler(handler, { params: {} })
    expect([onCpu.result, onCpu.devices]).toEqual(['cpu', [{ name: 'the processor', kind: 'cpu' }]])
    const onGpu = await runHandler(handler, { params: {}, compute: 'gpu' })
    expect([onGpu.result, onGpu.devices]).toEqual(['gpu', [{ name: 'NVIDIA H200', kind: 'gpu' }]])
    const bad = using(({ reportDevice }) => reportDevice('H200', 'GPU' as never))
    expect((await runHandler(bad, { params: {} })).outcome).toMatchObject({
      kind: 'failed',
      message: 'reportDevice: the kind is "GPU"; valid: "gpu" (hardware only), "software", "cpu"',
    })
  })

  test('resumes from a checkpoint, and leaves out one that does not fit', async () => {
    const resumed = await runHandler(counting, { params: {}, lastCheckpoint: { next: 2 }, attempt: 2 })
    expect(resumed.progress).toHaveLength(1)
    const afresh = await runHandler(counting, { params: {}, lastCheckpoint: { after: 2 } as never })
    expect(afresh.progress).toHaveLength(3)
  })

  test('cancels at the place that a test chose', async () => {
    const stop = new AbortController()
    const run = await runHandler(counting, {
      params: {},
      signal: stop.signal,
      onCheckpoint: ({ next }) => next === 2 && stop.abort(),
    })
    expect(run.outcome).toEqual({ kind: 'cancelled' })
    expect(run.result).toBeUndefined()
    expect(run.checkpoints).toEqual([{ next: 1 }, { next: 2 }])
  })

  test.each([
    [new Reject('not a picture'), { kind: 'rejected', message: 'not a picture' }],
    [new Retry(500, 'later'), { kind: 'retry', afterMs: 500, message: 'later' }],
    [new RateLimited(700), { kind: 'rate_limited', waitMs: 700, message: 'told to slow down' }],
    [new RangeError('odd'), { kind: 'failed', message: 'odd', error: new RangeError('odd') }],
  ])('tells what was thrown: %s', async (thrown, outcome) => {
    expect(
      (
        await runHandler(
          throwing(() => thrown),
          { params: {} },
        )
      ).outcome,
    ).toEqual(outcome)
  })

  test('refuses a result that does not fit its schema, or is no JSON', async () => {
    const wrong = defineHandler({ ...counting, run: () => ({ counted: 'three' }) as never })
    expect((await runHandler(wrong, { params: {} })).outcome).toMatchObject({
      kind: 'result_invalid',
      message: expect.stringContaining('counted'),
    })
    const silent = defineHandler({ ...counting, run: () => undefined as never })
    expect((await runHandler(silent, { params: {} })).outcome).toEqual({
      kind: 'result_invalid',
      message: 'run returned nothing (undefined); its result schema wants an object',
    })
    const large = using(() => ({ items: [1, { n: 1n }] }))
    expect((await runHandler(large, { params: {} })).outcome).toEqual({
      kind: 'result_invalid',
      message: 'result.items[1].n is a BigInt',
    })
  })

  test('throws for params that a submit would refuse', async () => {
    await expect(runHandler(counting, { params: { steps: 1.5 } })).rejects.toThrow(/params does not fit.*steps/s)
  })

  test('checks units, but for a final step, which has none', async () => {
    const unit = z.object({ path: z.string() })
    const handler = defineHandler({ ...using(({ unit }) => unit ?? 'none'), unit })
    expect((await runHandler(handler, { params: {}, unit: { path: 'a' } })).result).toEqual({ path: 'a' })
    await expect(runHandler(handler, { params: {} })).rejects.toThrow(/unit does not fit/)
    expect((await runHandler(handler, { params: {}, resultsFile: '/results' })).result).toBe('none')
  })

  test('keeps artifacts as real files', async () => {
    const handler = using(async ({ artifact, temporaryFile }) => {
      await artifact('words.txt', 'one two')
      const file = temporaryFile('large.bin')
      writeFileSync(file, Buffer.alloc(10))
      await artifact('moved.bin', { file })
      return [
        await artifact('words.txt', 'again').catch((error: Error) => error.message),
        await artifact('../out', 'x').catch((error: Error) => error.message),
        existsSync(file),
      ]
    })
    const run = await runHandler(handler, { params: {} })
    expect(run.result).toEqual([
      'this attempt has an artifact "words.txt" already',
      expect.stringContaining('is no plain file name'),
      false,
    ])
    expect(run.artifacts).toMatchObject([
      { name: 'words.txt', mediaType: 'text/plain', bytes: 7 },
      { name: 'moved.bin', mediaType: 'application/octet-stream', bytes: 10 },
    ])
    expect(readFileSync(run.artifacts[0]?.path ?? '', 'utf8')).toBe('one two')
  })

  test('runs programs, and ends them with the attempt', async () => {
    const handler = using(async ({ spawn }) => {
      const echoed = await spawn('sh', ['-c', 'cat; echo problem >&2; exit 3'], { stdin: 'hello' })
      const missing = await spawn('/no/such/program').catch((error: Error) => error.message)
      return { echoed, missing }
    })
    const run = await runHandler(handler, { params: {} })
    expect(run.result).toEqual({
      echoed: { exitCode: 3, signal: null, stdout: 'hello', stderr: 'problem\n' },
      missing: expect.stringContaining('cannot start /no/such/program'),
    })
    const stop = new AbortController()
    const endless = using(async ({ spawn }) => {
      await spawn('sh', ['-c', 'echo begun; sleep 1000'], { onOutput: () => stop.abort() })
      return null
    })
    const cancelled = await runHandler(endless, { params: {}, signal: stop.signal })
    expect(cancelled.outcome).toEqual({ kind: 'cancelled' })
  })

  test('takes nothing that a handler returns once it was told to stop', async () => {
    const stop = new AbortController()
    const handler = using(() => {
      stop.abort()
      return 'half'
    })
    const run = await runHandler(handler, { params: {}, signal: stop.signal })
    expect(run).toMatchObject({ outcome: { kind: 'cancelled' }, result: undefined })
  })

  test('says that nobody cancelled', async () => {
    expect(
      (
        await runHandler(
          throwing(() => new Cancelled()),
          { params: {} },
        )
      ).outcome,
    ).toMatchObject({
      kind: 'failed',
      message: 'the handler threw Cancelled, but nobody cancelled the attempt',
    })
  })

  test('waits for artifacts that the handler did not wait for, and takes nothing afterwards', async () => {
    let late = () => {}
    const handler = using((context) => {
      void context.artifact('late.txt', 'x'.repeat(100_000))
      late = () => context.checkpoint({})
      return null
    })
    expect((await runHandler(handler, { params: {} })).artifacts).toMatchObject([{ name: 'late.txt', bytes: 100_000 }])
    expect(late).toThrow('the attempt has ended')
  })

  test('refuses checkpoints that could not be read again', async () => {
    const handler = using(({ checkpoint }) => checkpoint(new Map() as never))
    expect((await runHandler(handler, { params: {} })).outcome).toMatchObject({
      kind: 'failed',
      message: 'checkpoint is a Map',
    })
  })
})

test('a media type that a host would refuse is refused here, too', async () => {
  const typed = defineHandler({
    type: 'typed',
    title: 'Typed',
    description: 'Keeps a file.',
    params: z.object({ mediaType: z.any() }),
    result: z.any(),
    async run({ params: { mediaType }, artifact }) {
      return await artifact('a.txt', 'x', mediaType).then(
        (kept) => kept.mediaType,
        (error: Error) => `${error.name}: ${error.message}`,
      )
    },
  })
  for (const mediaType of ['', 'a\n', 'x'.repeat(201), 5])
    expect(await runHandler(typed, { params: { mediaType } })).toMatchObject({
      result: expect.stringMatching(/^TypeError: the media type/),
    })
})
