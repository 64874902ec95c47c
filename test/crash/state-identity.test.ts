import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, it, onTestFinished } from 'vitest'
import { statePaths } from '../../src/config/paths.ts'
import { QueueError } from '../../src/domain/errors.ts'
import { stretched } from '../support/machine-speed.ts'
import { isManagerAlive, killManager, startManager, waitForManager } from '../support/manager-process.ts'
import { distMain } from '../support/repository.ts'
import { type TemporaryHome, useTemporaryHome } from '../support/temporary-home.ts'
import { waitUntil } from '../support/wait-until.ts'
import { readRows } from './support-b/database.ts'
import { submit, useQueueClient, waitForEnd } from './support-b/queue-client.ts'
import { managerLog, textOf, useWorkspace } from './support-b/workspace.ts'

const noticedWithinMs = 6_000
/** Far less than the 30 s after which a client gives up. */
const atOnceMs = 12_000
const command = { params: { argv: ['true'], cwd: '/tmp' } }

/** A state directory with three finished jobs, its manager killed: all of the newest rows are in the -wal file. */
async function usedHome(): Promise<TemporaryHome> {
  const home = useTemporaryHome()
  const client = useQueueClient(home)
  const ids = await Promise.all([1, 2, 3].map(async () => (await submit(client, command)).id))
  await waitForEnd(client, ids)
  return home
}

/** @returns the error that a client gets, and how long it waited for it */
async function refusalOf(home: TemporaryHome): Promise<{ error: QueueError; ms: number }> {
  const client = useQueueClient(home)
  const asked = performance.now()
  try {
    await submit(client, command)
  } catch (error) {
    if (error instanceof QueueError) return { error, ms: performance.now() - asked }
    throw error
  }
  throw new Error('the job was accepted')
}

function doctor(home: TemporaryHome): { code: number | null; text: string } {
  const run = spawnSync(process.execPath, [distMain, 'doctor'], { env: { ...home.environment }, encoding: 'utf8' })
  return { code: run.status, text: run.stdout + run.stderr }
}

it.for([
  { name: 'deleted', act: (home: string) => rmSync(home, { recursive: true, force: true, maxRetries: 5 }) },
  { name: 'moved away', act: (home: string, elsewhere: string) => renameSync(home, join(elsewhere, 'moved')) },
])(
  'the state directory is $name while the manager runs: noticed, and nothing is acknowledged into the void',
  async ({ act }) => {
    const home = useTemporaryHome()
    const elsewhere = useWorkspace()
    const client = useQueueClient(home)
    await submit(client, command)
    const before = await waitForManager(home.home)
    home.ledger.add(before.pid)

    act(home.home, elsewhere)
    // The connection of this client still leads to the manager of the lost directory.
    const { id } = await submit(client, { ...command, idempotency_key: 'after' })
    expect((await waitForManager(home.home)).epoch).toBe(1)
    expect(readRows(home.home, 'SELECT id FROM job')).toEqual([{ id }])
    await waitUntil(() => !isManagerAlive(before), {
      timeoutMs: await stretched(noticedWithinMs),
      what: 'the manager to notice',
    })
    await waitForEnd(client, [id])
    await killManager(home.home, 'SIGTERM')
    await home.ledger.assertNothingLeft()
  },
)

it('the database is replaced while the manager runs: it ends within 5 s, saying why, without being asked', async () => {
  const home = await usedHome()
  // The next one has no work that would wait for its death, so nothing starts another.
  await killManager(home.home, 'SIGTERM')
  home.ledger.add(startManager(home.environment).pid)
  const before = await waitForManager(home.home)
  const { database } = statePaths(home.home)
  copyFileSync(database, `${database}.copy`)
  renameSync(`${database}.copy`, database)
  await waitUntil(() => !isManagerAlive(before), {
    timeoutMs: await stretched(noticedWithinMs),
    what: 'the manager to notice',
  })
  expect(managerLog(home.home)).toMatch(/"level":60.*deleted or replaced/)
  await home.ledger.assertNothingLeft()
})

async function expectRefused(home: TemporaryHome, says: RegExp): Promise<void> {
  const { error, ms } = await refusalOf(home)
  expect(error.code).toBe('storage_refused')
  expect(error.message).toMatch(says)
  expect(ms).toBeLessThan(atOnceMs)
  const told = doctor(home)
  expect(told.code).toBe(13)
  expect(told.text).toMatch(/Put the right database back|Restore/)
  await home.ledger.assertNothingLeft()
}

it('the -wal file is deleted after a crash: the next start refuses, at once and in words', async () => {
  const home = await usedHome()
  const { database, instanceFile } = statePaths(home.home)
  // The mark follows at the next heartbeat: what is newer than that cannot be missed.
  await waitUntil(() => /"high_water":\s*[1-9]/.test(textOf(instanceFile)), { what: 'the mark' })
  await killManager(home.home, 'SIGKILL')
  rmSync(`${database}-wal`)
  await expectRefused(home, /event \d+ was committed before|had \d+ events/)
})

it.for([
  { name: 'emptied', act: (database: string) => truncateSync(database) },
  { name: 'deleted', act: (database: string) => rmSync(database) },
])('the database is $name while no manager runs: the next start refuses, at once and in words', async ({ act }) => {
  const home = await usedHome()
  await killManager(home.home, 'SIGTERM')
  const { database } = statePaths(home.home)
  rmSync(`${database}-wal`, { force: true })
  act(database)
  await expectRefused(home, /missing or empty/)
})

it('an older copy of the database is put back: refused, naming both events', async () => {
  const home = await usedHome()
  const { database } = statePaths(home.home)
  await killManager(home.home, 'SIGTERM')
  const copy = `${database}.older`
  copyFileSync(database, copy)
  const client = useQueueClient(home)
  await waitForEnd(client, [(await submit(client, command)).id])
  await killManager(home.home, 'SIGTERM')
  rmSync(`${database}-wal`, { force: true })
  rmSync(`${database}-shm`, { force: true })
  renameSync(copy, database)

  const { error, ms } = await refusalOf(home)
  expect(error.code).toBe('storage_refused')
  expect(error.message).toMatch(/ends at event \d+, but event \d+ was committed before/)
  expect(ms).toBeLessThan(atOnceMs)
  expect(doctor(home)).toMatchObject({ code: 13, text: expect.stringContaining('an older copy was put in its place') })
  await home.ledger.assertNothingLeft()
})

it('a database of a newer program: schema_too_new with both versions', async () => {
  const home = await usedHome()
  await killManager(home.home, 'SIGTERM')
  const database = new Database(statePaths(home.home).database)
  database.pragma('user_version = 99')
  database.close()
  const { error, ms } = await refusalOf(home)
  expect(error.code).toBe('schema_too_new')
  expect(error.message).toMatch(/schema 99.*0\.1\.0/)
  expect(ms).toBeLessThan(atOnceMs)
  expect(doctor(home)).toMatchObject({ code: 13, text: expect.stringContaining('schema 99') })
  await home.ledger.assertNothingLeft()
})

it('a read-only state directory: the client is told why, at once', async () => {
  const home = useTemporaryHome()
  const state = join(home.home, 'state')
  mkdirSync(state, { mode: 0o700 })
  const environment = { ...home.environment, NIGHTKILN_HOME: state }
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m,mode=0700,ro', 'tmpfs', state], {
    encoding: 'utf8',
  })
  if (mounted.status !== 0) throw new Error(`this test must mount a tmpfs, which needs root: ${mounted.stderr}`)
  onTestFinished(() => {
    spawnSync('umount', ['--lazy', state])
  })
  const asked = performance.now()
  const run = spawnSync(process.execPath, [distMain, 'submit', '--json', '--', 'true'], {
    env: environment,
    encoding: 'utf8',
  })
  expect(performance.now() - asked).toBeLessThan(atOnceMs)
  expect(run.status).not.toBe(0)
  expect(run.stdout + run.stderr).toMatch(/read-only|EROFS|not writable/i)
  expect(doctor({ ...home, environment })).toMatchObject({ code: 13, text: expect.stringContaining('not writable') })
  await home.ledger.assertNothingLeft()
})

it('a damaged database: refused at the start, left untouched, and doctor names it', async () => {
  const home = await usedHome()
  await killManager(home.home, 'SIGTERM')
  const { database } = statePaths(home.home)
  writeFileSync(database, 'this is a text file, not a database\n'.repeat(500))
  const { error, ms } = await refusalOf(home)
  expect(error.code).toBe('storage_refused')
  expect(error.message).toContain(database)
  expect(ms).toBeLessThan(atOnceMs)
  expect(spawnSync('head', ['-c', '14', database], { encoding: 'utf8' }).stdout).toBe('this is a text')
  expect(doctor(home).code).toBe(13)
  await home.ledger.assertNothingLeft()
  // A manager started by hand says the same and ends.
  const manager = startManager(home.environment)
  await waitUntil(() => manager.exitCode === 70, { what: 'the manager to refuse' })
})
