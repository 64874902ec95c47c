import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { useTemporaryHome } from '../../support/temporary-home.ts'
import { get, health, put, untilEnded } from './support/predictions.ts'
import { python, startPythonWorker } from './support/python-worker.ts'
import { notOk, runSuite } from './support/running-worker.ts'

/** The suite waits for leases, time limits and checkpoints. */
const suiteMs = 170_000

describe.skipIf(python === null)('the Python worker', () => {
  test('keeps the protocol', { timeout: suiteMs }, async () => {
    const { home } = useTemporaryHome()
    const worker = await startPythonWorker(join(home, 'worker'), { slots: 2 })
    const { checks } = await runSuite(worker)
    expect(notOk(checks)).toEqual([])
    expect(checks.length).toBeGreaterThan(60)
  })

  test('keeps ended predictions over a kill, and marks what ran WORKER_RESTARTED', async () => {
    const { home } = useTemporaryHome()
    const directory = join(home, 'worker')
    const first = await startPythonWorker(directory, { slots: 2 })
    await put(first, 'done', { seconds: 0, result: 'kept' })
    const done = await untilEnded(first, 'done')
    await put(first, 'cut', { seconds: 60 })
    await expect.poll(async () => (await get(first, 'cut')).checkpoint).not.toBeNull()
    await first.kill()

    const second = await startPythonWorker(directory, { slots: 2, key: first.key })
    expect(await get(second, 'done')).toMatchObject({
      status: 'succeeded',
      output: 'kept',
      created_at: done.created_at,
    })
    const cut = await get(second, 'cut')
    expect(cut).toMatchObject({ status: 'failed', error_code: 'WORKER_RESTARTED' })
    expect(cut.checkpoint?.format).toBe('sleep/1')
    expect(cut.boot_id).not.toBe(done.boot_id)
  })

  test('says which GPUs nvidia-smi names, also where it knows little', async () => {
    const { home } = useTemporaryHome()
    const tools = join(home, 'bin')
    mkdirSync(tools)
    const rows = ['0, NVIDIA H200, GPU-1f, 143771, 512, 570.86, 7', '1, Old one, [N/A], [N/A], [N/A], 570.86, [N/A]']
    writeFileSync(join(tools, 'nvidia-smi'), `#!/bin/sh\nprintf '%s\\n' '${rows.join("' '")}'\n`, { mode: 0o755 })
    const path = `${tools}${delimiter}${process.env['PATH']}`
    const worker = await startPythonWorker(join(home, 'worker'), { environment: { PATH: path } })
    const { gpus, job_types: types } = await health(worker)
    expect(gpus).toMatchObject([
      { name: 'NVIDIA H200', memory_total_mb: 143_771, memory_used_mb: 512, driver_version: '570.86', utilization: 7 },
      { index: 1, name: 'Old one', memory_total_mb: null, utilization: null, software: false },
    ])
    expect([types['my_job']?.gpu, types['sleep']?.gpu]).toEqual([true, false])
  })

  test.each([
    ['a lease end that does not exist', { on_lease_end: 'sometimes' }],
    ['a time limit that is no number', { timeout_ms: 'soon' }],
    ['a grace of null', { cancel_grace_ms: null }],
    ['a resume without its number', { resume: { format: 'sleep/1', inline: {} } }],
    ['a token of 101 characters', { attempt_token: 'x'.repeat(101) }],
  ])('refuses %s, and serves on', async (_, input) => {
    const { home } = useTemporaryHome()
    const worker = await startPythonWorker(join(home, 'worker'))
    await expect(put(worker, 'odd', { seconds: 0 }, input)).rejects.toThrow('HTTP 422')
    await put(worker, 'fine', { seconds: 60 }, { timeout_ms: 200 })
    expect((await untilEnded(worker, 'fine')).error_code).toBe('TIMEOUT')
  })

  test('lets its state be read by its user alone', async () => {
    const { home } = useTemporaryHome()
    const worker = await startPythonWorker(join(home, 'worker'))
    await put(worker, 'one', { seconds: 0 })
    await untilEnded(worker, 'one')
    const state = join(home, 'worker', 'state')
    const open = readdirSync(state, { recursive: true, encoding: 'utf8' }).filter(
      (name) => (statSync(join(state, name)).mode & 0o077) !== 0,
    )
    expect(open).toEqual([])
  })

  test('runs the hook of users, the same numbers in one go and after a resume', async () => {
    const { home } = useTemporaryHome()
    const worker = await startPythonWorker(join(home, 'worker'))
    const params = { chunks: 4, size: 1_000 }
    await put(worker, 'whole', params, { type: 'my_job' })
    const whole = await untilEnded(worker, 'whole')
    expect(whole).toMatchObject({ status: 'succeeded', output: { numbers: 4_000 } })
    expect(whole.device).not.toBeNull()
    await put(worker, 'half', { ...params, chunks: 2 }, { type: 'my_job' })
    const resume = (await untilEnded(worker, 'half')).checkpoint
    await put(worker, 'rest', params, { type: 'my_job', resume })
    expect((await untilEnded(worker, 'rest')).output).toEqual(whole.output)
  })
})
