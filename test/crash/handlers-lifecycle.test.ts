import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { PauseAnswer } from '../../src/domain/wire/control.ts'
import type { DeleteAnswer } from '../../src/domain/wire/history.ts'
import type { CancelAnswer, ResultAnswer, WaitAnswer } from '../../src/domain/wire/jobs.ts'
import type { JobView } from '../../src/domain/wire/shared.ts'
import type { SubmitAnswer } from '../../src/domain/wire/submit.ts'
import { jsonOf, runCli } from '../cli/run-cli.ts'
import { stretched } from '../support/machine-speed.ts'
import { connectStdio, type McpStdioClient } from '../support/mcp-stdio-client.ts'
import { allPids, commandLine } from '../support/proc.ts'
import { waitUntil } from '../support/wait-until.ts'
import { counterParams, counterSource } from './support-handlers/counter.ts'
import { outcomesOf, shareHandlerHome } from './support-handlers/handler-home.ts'
import { editedSource, patientSource } from './support-handlers/patient-source.ts'

/** Of a handler that listens: far more than it needs. */
const longGraceMs = 2_000
const shortGraceMs = 300
let frontEnd: McpStdioClient
const shared = shareHandlerHome({ cancel_grace: `${longGraceMs}ms` }, async (home) => {
  home.write('counter.mjs', counterSource)
  home.write('patient.mjs', patientSource)
  frontEnd = await connectStdio({ environment: home.environment, ledger: home.ledger, cwd: home.work })
  await submitAndWait('counter', counterParams(home, 'warm', 1, 1))
})
afterAll(() => frontEnd.close())

async function submit(type: string, params: object, more: object = {}): Promise<string> {
  return (await frontEnd.callOk<SubmitAnswer>('submit_job', { type, params, ...more })).id
}

async function waitFor(id: string): Promise<JobView> {
  const { jobs, satisfied } = await frontEnd.callOk<WaitAnswer>('wait_for_jobs', { ids: [id], timeout_s: 20 })
  expect(satisfied, jobs[0]?.why).toBe(true)
  return shared().job(id)
}

async function submitAndWait(type: string, params: object, more: object = {}): Promise<JobView> {
  return waitFor(await submit(type, params, more))
}

/** Submits a job that waits, and waits until it does. */
async function startPatient(how: string, graceMs = longGraceMs): Promise<string> {
  const started = join(shared().work, `patient-${how}-${performance.now()}`)
  const id = await submit('patient', { how, started }, { cancel_grace_s: graceMs / 1000 })
  await waitUntil(() => existsSync(started), { intervalMs: 5, what: `a job that waits ${how}` })
  return id
}

/** @returns ms from the call until the job had ended */
async function cancel(id: string): Promise<number> {
  const calledAt = Date.now()
  const { jobs } = await frontEnd.callOk<CancelAnswer>('cancel_job', { ids: [id] })
  expect(jobs).toMatchObject([{ id, outcome: 'cancelling' }])
  const job = await waitFor(id)
  expect(job).toMatchObject({ state: 'cancelled' })
  expect(outcomesOf(job)).toEqual(['cancelled'])
  return Date.parse(job.finished_at ?? '') - calledAt
}

describe('cancel, pause, delete', () => {
  test('a handler that listens is over at once', async () => {
    const tookMs = await cancel(await startPatient('politely'))
    expect(tookMs).toBeLessThan(Math.min(longGraceMs, await stretched(200)))
  })

  test('one that does not is ended when its grace is over', async () => {
    const tookMs = await cancel(await startPatient('deaf', shortGraceMs))
    expect(tookMs).toBeGreaterThanOrEqual(shortGraceMs)
    expect(tookMs).toBeLessThan(shortGraceMs + (await stretched(300)))
  })

  test('programs that it runs are gone, those that left their group too', async () => {
    const running = () => allPids().filter((pid) => commandLine(pid) === 'sleep 61234')
    const id = await startPatient('for_programs', shortGraceMs)
    expect((await waitUntil(() => running().length === 3 && running())).length).toBe(3)
    const tookMs = await cancel(id)
    expect(running()).toEqual([])
    expect(tookMs).toBeLessThan(shortGraceMs + (await stretched(700)))
  })

  test('it cannot be frozen: that is said, it is paused, and what runs goes on', async () => {
    const home = shared()
    const id = await submit('counter', counterParams(home, 'paused', 10, 50))
    await waitUntil(async () => (await home.job(id)).state === 'running', { intervalMs: 10 })
    const { jobs } = await frontEnd.callOk<PauseAnswer>('pause_job', { ids: [id], freeze: true })
    expect(jobs).toEqual([
      {
        id,
        outcome: 'refused',
        why: 'a handler cannot be suspended; it is paused, and the running unit is allowed to finish',
      },
    ])
    expect((await home.job(id)).state).toBe('pausing')
    expect(await waitFor(id)).toMatchObject({ state: 'completed', attempts: 1, result: { from: 0 } })
  })

  test('with a finished job its files are deleted', async () => {
    const home = shared()
    const id = await startPatient('politely')
    const before = readdirSync(home.paths.attempts)
    await cancel(id)
    const kept = await submitAndWait('counter', counterParams(home, 'kept', 2, 1))
    const { artifacts } = await frontEnd.callOk<ResultAnswer>('job_result', { id })
    const { deleted } = await frontEnd.callOk<DeleteAnswer>('delete_jobs', { ids: [id] })
    expect(deleted).toBe(1)
    await waitUntil(() => readdirSync(home.paths.attempts).length === before.length, { what: 'its files to go' })
    // Only the job that was deleted is gone: the other one has a checkpoint.
    const left = readdirSync(home.paths.attempts)
    expect(left.filter((name) => !before.includes(name)).length).toBe(1)
    expect(artifacts).toEqual([])
    expect(kept.state).toBe('completed')
  })
})

describe('files of the handler directory that change', () => {
  test('a new one can be submitted by the very next call, a changed one runs its new code', async () => {
    const home = shared()
    home.write('edited.mjs', editedSource(1))
    expect(await submitAndWait('edited', {})).toMatchObject({ state: 'completed', result: { version: 1 } })
    // Its first attempt runs the old code, its second the new.
    const retried = await submit('edited', { again_ms: 600 }, { max_attempts: 2 })
    await waitUntil(async () => (await home.job(retried)).state === 'retrying', { intervalMs: 10 })
    home.write('edited.mjs', editedSource(2))
    expect(await submitAndWait('edited', {})).toMatchObject({ state: 'completed', result: { version: 2 } })
    const job = await waitFor(retried)
    expect(job).toMatchObject({ state: 'completed', attempts: 2, result: { version: 2 } })
    expect(job.attempt_history?.[0]?.error?.message).toBe('version 1')
  })

  test('one that cannot be loaded for a moment fails nothing; one that never can fails its jobs in the end', async () => {
    const home = shared()
    const marker = join(home.work, 'half-written')
    writeFileSync(marker, '')
    home.write(
      'flickering.mjs',
      `import { existsSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'
${editedSource(1).replaceAll("'edited'", "'flickering'")}
if (!isMainThread && existsSync(${JSON.stringify(marker)})) throw new Error('half written')
`,
    )
    const lasting = await waitFor(await submit('flickering', {}))
    expect(lasting).toMatchObject({ state: 'failed', error: { code: 'handler_unavailable' } })
    expect(lasting.error?.message).toContain('half written')
    const passing = await submit('flickering', {})
    await waitUntil(async () => outcomesOf(await home.job(passing)).includes('released'), { intervalMs: 10 })
    rmSync(marker)
    expect(await waitFor(passing)).toMatchObject({ state: 'completed', result: { version: 1 } })
  })

  test('a broken one says why everywhere, its jobs wait, and go on when it is mended', async () => {
    const home = shared()
    const file = home.write('edited.mjs', editedSource(3))
    expect(await submitAndWait('edited', {})).toMatchObject({ result: { version: 3 } })
    await frontEnd.callOk('update_job', { queue: 'mending', queue_concurrency: null })
    await frontEnd.callOk<PauseAnswer>('pause_job', { queue: 'mending' })
    const ids = [await submit('edited', {}, { queue: 'mending' }), await submit('edited', {}, { queue: 'mending' })]
    home.write('edited.mjs', editedSource(4, "import { nothing } from 'no-such-package'"))
    const problem = `it cannot be loaded: Cannot find package 'no-such-package'`
    const refused = await frontEnd.call('submit_job', { type: 'edited', params: {} })
    expect(refused).toMatchObject({ isError: true })
    expect(refused.text).toContain(`handler_unavailable: ${file} cannot be used: ${problem}`)
    await frontEnd.callOk<PauseAnswer>('resume_job', { queue: 'mending' })
    for (const id of ids) {
      const job = await home.job(id)
      expect(job).toMatchObject({ state: 'blocked', attempts: 0 })
      expect(job.why).toContain(`its job type "edited" cannot run now: ${file}: ${problem}`)
    }
    const types = await runCli(home, ['types'])
    expect(types.stdout).toContain('edited  cannot be used')
    expect(types.stdout).toContain(problem)
    const doctor = await runCli(home, ['doctor', '--json'])
    const checks = jsonOf(doctor)['checks'] as { id: string; status: string; detail: string }[]
    const check = checks.find(({ id }) => id === 'handlers')
    expect(check?.status).not.toBe('ok')
    expect(check?.detail).toContain(problem)
    // Nobody calls: the change of the file is what lets them go on.
    home.write('edited.mjs', editedSource(5))
    const ended = await home.ended(ids)
    expect(ended.map(({ state, result, attempts }) => ({ state, result, attempts }))).toEqual(
      ids.map(() => ({ state: 'completed', result: { version: 5 }, attempts: 1 })),
    )
  })
})
