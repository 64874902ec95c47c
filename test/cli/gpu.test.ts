import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { statePaths } from '../../src/config/paths.ts'
import { listGpuWorkersAnswer, testGpuAnswer } from '../../src/domain/wire/gpu.ts'
import { queueStatusAnswer } from '../../src/domain/wire/jobs.ts'
import type { JobView } from '../../src/domain/wire/shared.ts'
import { useWorkerProcess, type WorkerProcess } from '../crash/support-gpu/worker-process.ts'
import { type TemporaryHome, useTemporaryHome } from '../support/temporary-home.ts'
import { waitUntil } from '../support/wait-until.ts'
import { type Queue, useQueue } from './queue.ts'
import { errorOf, jsonOf, runCli } from './run-cli.ts'

const problemFound = 13

interface GpuCheck {
  readonly id: string
  readonly status: string
  readonly detail: string
}

async function gpuCheck(home: TemporaryHome): Promise<GpuCheck | undefined> {
  const answer = jsonOf(await runCli(home, ['doctor', '--json'])) as unknown as { checks: readonly GpuCheck[] }
  return answer.checks.find(({ id }) => id === 'gpu_workers')
}

/** A worker that runs, with its key in the state directory. */
async function addedWorker(home: TemporaryHome): Promise<WorkerProcess> {
  const worker = await useWorkerProcess()
  await worker.start()
  copyFileSync(worker.keyFile, join(home.home, 'rig.key'))
  const added = await runCli(home, ['gpu', 'add', 'rig', worker.url, '--key-file', 'rig.key', '--allow-cpu'])
  expect(added).toMatchObject({ code: 0, stdout: expect.stringMatching(/^added: rig\nrig {2}connected in \d+ ms/) })
  return worker
}

async function submit(home: TemporaryHome, ...given: readonly string[]): Promise<string> {
  const result = await runCli(home, ['submit', '--json', '--type', ...given])
  expect(result.code, result.stderr).toBe(0)
  return String(jsonOf(result)['id'])
}

async function jobWhen(queue: Queue, id: string, what: string, isSo: (job: JobView) => boolean): Promise<JobView> {
  let job = await queue.job(id)
  await waitUntil(
    async () => {
      job = await queue.job(id)
      return isSo(job)
    },
    { what, timeoutMs: 30_000 },
  )
  return job
}

describe('gpu', () => {
  it('without any worker says so, and doctor has nothing against it', async () => {
    const home = useTemporaryHome()
    expect(await runCli(home, ['gpu'])).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('no GPU worker is configured'),
    })
    expect(await runCli(home, ['gpu', 'test'])).toMatchObject({ code: problemFound, stdout: '' })
    expect(await gpuCheck(home)).toMatchObject({ status: 'ok' })
  })

  it('add keeps where the key is, connects, and refuses what would show a key', async () => {
    const home = useTemporaryHome()
    const worker = await addedWorker(home)
    const file = readFileSync(statePaths(home.home).gpuWorkers, 'utf8')
    expect(JSON.parse(file)).toEqual({
      workers: { rig: { url: worker.url, key: { file: join(home.home, 'rig.key') }, allow_cpu: true } },
    })
    const again = ['gpu', 'add', 'rig', worker.url, '--key-file', 'rig.key', '--allow-cpu', '--json']
    expect(errorOf(await runCli(home, again))).toMatchObject({
      code: 'invalid_input',
      remedy: expect.stringContaining('--replace'),
    })
    expect(jsonOf(await runCli(home, [...again, '--replace']))).toMatchObject({
      replaced: true,
      tests: [{ state: 'connected' }],
    })

    const typed = await runCli(home, ['gpu', 'add', 'typed', worker.url, '--key', worker.key])
    expect(typed).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('--key-file') })
    expect(typed.stderr).not.toContain(worker.key)
    const plain = await runCli(home, ['gpu', 'add', 'plain', 'http://rig.example:7801', '--key-file', 'rig.key'])
    expect(plain).toMatchObject({ code: 2, stderr: expect.stringContaining('readable on the way') })
  })

  it('test says what is wrong in words; list, status and doctor show it', async () => {
    const home = useTemporaryHome()
    const worker = await addedWorker(home)
    const well = testGpuAnswer.parse(jsonOf(await runCli(home, ['gpu', 'test', '--json'])))
    expect(well.tests).toMatchObject([{ name: 'rig', state: 'connected', slots: { total: 1, free: 1 } }])
    expect(well.tests[0]?.job_types).toContain('sleep')
    expect(await gpuCheck(home)).toMatchObject({ status: 'ok', detail: expect.stringContaining('1 of 1 slots free') })

    writeFileSync(join(home.home, 'bad.key'), 'another-key-that-is-long-enough-to-be-one\n', { mode: 0o600 })
    const bad = await runCli(home, ['gpu', 'add', 'bad', worker.url, '--key-file', 'bad.key', '--allow-cpu'])
    expect(bad).toMatchObject({ code: 0, stdout: expect.stringContaining('bad  key refused') })
    expect((await runCli(home, ['gpu', 'test', 'rig'])).code).toBe(0)
    expect((await runCli(home, ['gpu', 'test'])).code).toBe(problemFound)
    expect(await runCli(home, ['gpu', 'test', 'nobody'])).toMatchObject({ code: 2 })
    expect(await gpuCheck(home)).toMatchObject({
      status: 'problem',
      detail: expect.stringMatching(/^bad: .*refused the key/),
    })

    const listed = listGpuWorkersAnswer.parse(jsonOf(await runCli(home, ['gpu', 'list', '--json'])))
    expect(listed.workers.map(({ name }) => name)).toEqual(['rig', 'bad'])
    const overview = (await runCli(home, ['status'])).stdout
    expect(overview).toMatch(/^gpu {7}rig: ready/m)
    expect(overview).toMatch(/^gpu {7}bad: .*refused the key/m)
    expect((await runCli(home, ['queue'])).stdout).toMatch(/^rig +ready/m)

    expect(await runCli(home, ['gpu', 'remove', 'bad'])).toMatchObject({ code: 0, stdout: 'removed: bad\n' })
    await worker.stop()
    const gone = await runCli(home, ['gpu', 'test'])
    expect(gone).toMatchObject({
      code: problemFound,
      stdout: expect.stringMatching(/rig {2}unreachable .*\n.*ECONNREFUSED/),
    })
    const status = queueStatusAnswer.parse(jsonOf(await runCli(home, ['status', '--json'])))
    expect(status.gpu_workers).toMatchObject([{ name: 'rig', reachable: false }])
  })
})

describe('a job that asks for a GPU', () => {
  it('shows what it waits for, where it ran and why it fell back', async () => {
    const home = useTemporaryHome()
    const queue = useQueue(home)
    await addedWorker(home)
    const first = await submit(home, 'sleep', '--param', 'seconds=600', '--gpu', 'prefer')
    const atWorker = await jobWhen(
      queue,
      first,
      'the first to run there',
      (job) => job.execution_mode === 'remote (cpu)',
    )
    expect(atWorker.gpu).toMatchObject({
      preference: 'prefer',
      modes: [{ mode: 'remote (cpu)', worker: 'rig', running: 1 }],
    })
    expect((await runCli(home, ['status', first])).stdout).toMatch(/gpu +remote \(cpu\), .+, at rig/)

    const second = await submit(home, 'montecarlo', '--param', 'paths=1000', '--gpu', 'require')
    const waits = await jobWhen(queue, second, 'the second to wait', (job) => job.why.includes('busy'))
    expect(waits.why).toMatch(
      /^all GPU workers are busy \(1 of 1 slots\); fails in 23 h 59 m|1 d if none becomes free$/,
    )

    const third = await submit(home, 'montecarlo', '--param', 'paths=1000', '--gpu', 'prefer', '--gpu-wait', '1s')
    const fellBack = await jobWhen(queue, third, 'the third to end', (job) => job.final)
    expect(fellBack).toMatchObject({ state: 'completed', execution_mode: 'local (gpu fallback)' })
    expect(fellBack.gpu?.modes[0]?.device).toMatch(/\w/)
    expect(fellBack.gpu?.modes[0]?.fallback_reason).toMatch(/within 1 s .*all its places are taken/)
    expect((await runCli(home, ['status', third, '--full'])).stdout).toMatch(
      /gpu +local \(gpu fallback\), .+; fell back: no GPU worker/,
    )

    const frozen = await runCli(home, ['pause', first, '--freeze'])
    expect(frozen.stdout).toContain('what runs at a GPU worker cannot be suspended')
    expect((await runCli(home, ['resume', first])).code).toBe(0)
    const sent = await runCli(home, ['send', first, 'yes'])
    expect(sent.stderr).toContain('runs at the GPU worker rig (remote (cpu)')
    expect((await runCli(home, ['cancel', first])).stdout).toContain('its GPU worker was asked to stop')

    const ran = await jobWhen(queue, second, 'the second to end', (job) => job.final)
    expect(ran).toMatchObject({ state: 'completed', execution_mode: 'remote (cpu)' })
    expect(await queue.ended(first)).toBe('cancelled')

    const kept = jsonOf(await runCli(home, ['rerun', third, '--json'])) as unknown as { id: string }
    expect((await queue.job(kept.id)).gpu).toMatchObject({ preference: 'prefer', wait_s: 1 })
    const changed = jsonOf(await runCli(home, ['rerun', third, '--gpu', 'never', '--json'])) as unknown as {
      id: string
    }
    expect((await queue.job(changed.id)).gpu).toBeUndefined()
    expect(await queue.ended(changed.id)).toBe('completed')
  })

  it('of a schedule asks for one each time, and waits when none is configured', async () => {
    const home = useTemporaryHome()
    const queue = useQueue(home)
    const made = await runCli(home, [
      ...['schedule', 'add', 'often', '--every', '1s', '--type', 'sleep', '--param', 'seconds=0', '--gpu', 'require'],
    ])
    expect(made.code, made.stderr).toBe(0)
    let ids: string[] = []
    await waitUntil(
      async () => {
        const { jobs } = jsonOf(await runCli(home, ['list', '--json'])) as unknown as { jobs: { id: string }[] }
        ids = jobs.map(({ id }) => id)
        return ids.length > 0
      },
      { what: 'the schedule to fire', timeoutMs: 30_000 },
    )
    await runCli(home, ['schedule', 'remove', 'often'])
    const [id = ''] = ids
    const job = await jobWhen(queue, id, 'it to wait', ({ why }) => why.includes('no GPU worker'))
    expect(job.gpu).toMatchObject({ preference: 'require', fallback: 'never', wait_s: 86_400, modes: [] })
    expect(job.why).toMatch(/^waits for a GPU worker: no GPU worker is configured; fails in .+ if none comes$/)
  })
})
