import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import type { ManagerClient } from '../../src/client/manager-client.ts'
import { statePaths } from '../../src/config/paths.ts'
import { QueueError } from '../../src/domain/errors.ts'
import { countRuns, ledgerCommand, readLedger, runningNames } from '../support/ledger-command.ts'
import { stretched } from '../support/machine-speed.ts'
import { isManagerAlive, killManager, startManager, waitForManager } from '../support/manager-process.ts'
import { rounds } from '../support/rounds.ts'
import { type TemporaryHome, useTemporaryHome } from '../support/temporary-home.ts'
import { waitUntil } from '../support/wait-until.ts'
import { gatedCommand } from './support-a/gated-command.ts'
import { integrityOf, readRows } from './support-b/database.ts'
import { submit, useQueueClient, viewJob, waitForEnd } from './support-b/queue-client.ts'
import { injectFaults } from './support-b/strace.ts'
import { managerLog, useWorkspace } from './support-b/workspace.ts'

const command = (key: string) => ({ params: { argv: ['true'], cwd: '/tmp' }, idempotency_key: key })

/** The code of the error, or null when the submit was acknowledged. */
async function submitOutcome(client: ManagerClient, key: string): Promise<string | null> {
  return submit(client, command(key)).then(
    () => null,
    (error: unknown) => (error instanceof QueueError ? error.code : String(error)),
  )
}

function jobsWithKey(home: string, key: string): number {
  return readRows(home, 'SELECT 1 FROM idempotency WHERE key = ?', key).length
}

async function settle(home: TemporaryHome): Promise<void> {
  await killManager(home.home, 'SIGTERM')
  await home.ledger.assertNothingLeft()
  expect(integrityOf(home.home)).toBe('ok')
}

it('one failed fsync: the answer is "unknown", the database is reopened, the same manager goes on', async () => {
  const home = useTemporaryHome()
  const workspace = useWorkspace()
  const client = useQueueClient(home)
  const across = gatedCommand(workspace, 'across')
  const running = await submit(client, across.job)
  await across.started()
  // Its runner is recorded: the next commit is the submit's.
  await waitUntil(() => readRows(home.home, 'SELECT 1 FROM attempt WHERE runner_pid IS NOT NULL').length === 1)
  const file = await waitForManager(home.home)
  const fault = await injectFaults(file.pid, 'fsync,fdatasync', 'error=EIO:when=1')
  expect(await submitOutcome(client, 'unlucky')).toBe('outcome_unknown')
  await waitUntil(async () => (await client.call('queue_status', {})).storage.healthy, { what: 'healthy again' })
  await fault.remove()

  across.open()
  const again = await submit(client, command('unlucky'))
  expect(jobsWithKey(home.home, 'unlucky')).toBe(1)
  const jobs = await waitForEnd(client, [running.id, again.id])
  expect(jobs.map((job) => job.state)).toEqual(['completed', 'completed'])
  expect(countRuns(readLedger(workspace)).get('across')).toEqual({ starts: 1, ends: 1 })
  expect(await waitForManager(home.home)).toMatchObject({ pid: file.pid, epoch: 1 })
  await settle(home)
})

it('fsync fails for good: the manager ends loudly; what was acknowledged and what runs is not lost', async () => {
  const home = useTemporaryHome()
  const workspace = useWorkspace()
  const client = useQueueClient(home)
  const across = gatedCommand(workspace, 'across')
  const running = await submit(client, across.job)
  await across.started()
  const file = await waitForManager(home.home)
  await injectFaults(file.pid, 'fsync,fdatasync', 'error=EIO:when=1+')
  const quiet = useQueueClient(home, { launch: false })
  expect(await submitOutcome(quiet, 'unlucky')).toBe('outcome_unknown')
  await waitUntil(() => !isManagerAlive(file), { what: 'the manager to end' })
  expect(managerLog(home.home)).toMatch(/"level":60.*storage faults in a row/)

  // The next one has a good disk again.
  across.open()
  const again = await submit(client, command('unlucky'))
  expect(jobsWithKey(home.home, 'unlucky')).toBe(1)
  const jobs = await waitForEnd(client, [running.id, again.id])
  expect(jobs.map((job) => job.state)).toEqual(['completed', 'completed'])
  expect(jobs[0]?.attempts).toBe(1)
  expect(countRuns(readLedger(workspace)).get('across')).toEqual({ starts: 1, ends: 1 })
  // The claim shared the unlucky commit: that attempt never ran and was given back.
  const { attempt_history: history = [] } = await viewJob(client, again.id)
  expect(history.map((attempt) => attempt.outcome).filter((outcome) => outcome !== 'released')).toEqual(['completed'])
  await settle(home)
})

it('killed at the N-th fsync or write: acknowledged is stored, integrity holds, one job per key', async () => {
  const home = useTemporaryHome()
  const client = useQueueClient(home, { launch: false })
  const acknowledged = new Set<string>()
  const depth = rounds(2, 5)
  const points = [
    ...[1, 3, 2, 5, 8].slice(0, depth).map((when) => ({ calls: 'fsync,fdatasync', when })),
    ...[2, 7, 1, 4, 13].slice(0, depth).map((when) => ({ calls: 'pwrite64', when })),
  ]
  const start = async () => {
    const child = startManager(home.environment)
    home.ledger.add(child.pid)
    const leader = await waitForManager(home.home)
    // The guardian of the one that was killed may have been faster; ours must not come to lead after a later stop.
    await waitUntil(() => leader.pid === child.pid || child.exitCode !== null || child.signalCode !== null)
    return leader
  }
  let file = await start()
  for (const { calls, when } of points) {
    await client.connect()
    await injectFaults(file.pid, calls, `signal=KILL:when=${when}`)
    const keys: string[] = []
    for (let index = 0; isManagerAlive(file) && index < 100; index += 1) {
      const key = `${calls}-${when}-${index}`
      keys.push(key)
      if ((await submitOutcome(client, key)) === null) acknowledged.add(key)
    }
    expect(isManagerAlive(file), `not killed at ${calls} ${when}`).toBe(false)
    expect(integrityOf(home.home)).toBe('ok')
    for (const key of acknowledged) expect(jobsWithKey(home.home, key)).toBe(1)

    file = await start()
    const ids = await Promise.all(keys.map(async (key) => (await submit(client, command(key))).id))
    expect(new Set(ids).size).toBe(keys.length)
    for (const key of keys) {
      acknowledged.add(key)
      expect(jobsWithKey(home.home, key)).toBe(1)
    }
    await waitForEnd(client, ids.slice(-50))
  }
  await killManager(home.home, 'SIGTERM')
  expect(readRows(home.home, 'SELECT count(*) AS jobs FROM job')).toEqual([{ jobs: acknowledged.size }])
  await home.ledger.assertNothingLeft()
})

it('a foreign write lock for 3 s: submits say so, commands end, results come when it is gone, nobody is replaced', async () => {
  const home = useTemporaryHome()
  const workspace = useWorkspace()
  const client = useQueueClient(home)
  const running = await submit(client, ledgerCommand(workspace, 'beside', 1))
  await waitUntil(() => runningNames(readLedger(workspace)).length === 1)
  const file = await waitForManager(home.home)
  const script = `
    const Database = require('better-sqlite3'); const database = new Database(process.argv[1])
    database.exec('BEGIN IMMEDIATE'); console.log('locked'); setTimeout(() => database.exec('ROLLBACK'), 3000)`
  const holder = spawn(process.execPath, ['-e', script, statePaths(home.home).database], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  home.ledger.add(holder.pid)
  await new Promise((resolve) => holder.stdout.once('data', resolve))
  const answers = new Set<string | null>()
  await waitUntil(async () => {
    const outcome = await submitOutcome(client, 'patient')
    answers.add(outcome)
    return outcome === null
  })
  expect([...answers].filter((code) => code !== null && code !== 'storage_busy')).toEqual([])
  const submitted = await submit(client, command('patient'))
  const jobs = await waitForEnd(client, [running.id, submitted.id])
  expect(jobs.map((job) => [job.state, job.attempts])).toEqual([
    ['completed', 1],
    ['completed', 1],
  ])
  expect(await waitForManager(home.home)).toMatchObject({ pid: file.pid, epoch: 1 })
  await settle(home)
})

/** A small file system of its own for the state directory. */
function mountSmallDisk(folder: string, bytes: number): void {
  mkdirSync(folder, { mode: 0o700 })
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes},mode=0700`, 'tmpfs', folder], {
    encoding: 'utf8',
  })
  if (mounted.status !== 0) throw new Error(`this test must mount a tmpfs, which needs root: ${mounted.stderr}`)
  onTestFinished(() => {
    spawnSync('umount', ['--lazy', folder])
  })
}

it('disk full: new jobs are refused, a running one keeps its result, and space heals it without a restart', async () => {
  const outer = useTemporaryHome()
  const workspace = useWorkspace()
  const home: TemporaryHome = {
    ...outer,
    home: join(outer.home, 'small'),
    environment: { ...outer.environment, NIGHTKILN_HOME: join(outer.home, 'small') },
  }
  mountSmallDisk(home.home, 16 * 1024 * 1024)
  mkdirSync(join(home.home, 'config'))
  writeFileSync(join(home.home, 'config', 'config.json'), JSON.stringify({ free_space_floor: '4mb' }))
  const client = useQueueClient(home)
  const running = await submit(client, {
    params: {
      shell: true,
      script: `echo started >> ${workspace}/started; until [ -e ${workspace}/go ]; do sleep 0.05; done; echo the result`,
      cwd: workspace,
    },
  })
  await waitUntil(async () => (await viewJob(client, running.id)).state === 'running')
  const file = await waitForManager(home.home)

  const filler = join(home.home, 'filler')
  spawnSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=64k'], { stdio: 'ignore' })
  const { bavail } = statfsSync(home.home)
  expect(bavail).toBe(0)
  await waitUntil(async () => (await submitOutcome(client, 'refused')) === 'storage_full', {
    what: 'submits to be refused',
  })
  expect((await client.call('queue_status', {})).storage.accepting_jobs).toBe(false)
  expect((await viewJob(client, running.id)).state).toBe('running')

  // The result of the running one is stored: the ballast makes room for it.
  writeFileSync(join(workspace, 'go'), '')
  const [job] = await waitForEnd(client, [running.id], 20_000)
  expect(job?.state).toBe('completed')
  expect(job?.result).toMatchObject({ exit_code: 0, untrusted_output_tail: expect.stringContaining('the result') })
  expect(job?.attempts).toBe(1)
  expect(jobsWithKey(home.home, 'refused')).toBe(0)

  rmSync(filler)
  const spaceBack = performance.now()
  await waitUntil(async () => (await submitOutcome(client, 'refused')) === null, { what: 'submits to be taken again' })
  expect(performance.now() - spaceBack).toBeLessThan(await stretched(5_000))
  expect(jobsWithKey(home.home, 'refused')).toBe(1)
  expect(await waitForManager(home.home)).toMatchObject({ pid: file.pid, epoch: 1 })
  await settle(home)
})
