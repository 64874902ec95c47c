import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'
import { statePaths } from '../../src/config/paths.ts'
import { version } from '../../src/config/version.ts'
import { readDeaths } from '../../src/platform/deaths-file.ts'
import { countRuns, ledgerCommand, readLedger } from '../support/ledger-command.ts'
import { stretched } from '../support/machine-speed.ts'
import { isManagerAlive, killManager, readManagerFile, waitForManager } from '../support/manager-process.ts'
import { repositoryRoot } from '../support/repository.ts'
import { waitUntil } from '../support/wait-until.ts'
import { gatedCommand } from './support-a/gated-command.ts'
import { managerGone } from './support-a/manager-gone.ts'
import { outcomes, type Scenario, useScenario } from './support-a/scenario.ts'

const newerVersion = '9.9.9'

/** A manager with one running command. */
async function busyManager(scenario: Scenario, options: { readonly ignoreTerm?: boolean } = {}) {
  const client = scenario.client()
  const command = gatedCommand(scenario.directory, 'running', options)
  const { id } = await scenario.submit(client, { ...command.job, cancel_grace_s: options.ignoreTerm === true ? 20 : 3 })
  await command.started()
  return { client, command, id, manager: await waitForManager(scenario.home) }
}

async function expectOneRun(scenario: Scenario, client: ReturnType<Scenario['client']>, id: string): Promise<void> {
  const job = await scenario.endOf(client, id)
  expect(job).toMatchObject({ state: 'completed', attempts: 1 })
  expect(countRuns(readLedger(scenario.directory)).get('running')).toEqual({ starts: 1, ends: 1 })
}

describe('stop', () => {
  test('with drain: waits for the running command, takes no new job; the caller gets the next manager', async () => {
    const scenario = useScenario()
    const { directory } = scenario
    const { client, command, id, manager } = await busyManager(scenario)
    const visitor = scenario.client({ launch: false })
    await visitor.call('stop_manager', { drain_ms: 60_000 })
    expect((await visitor.call('queue_status', {})).manager).toMatchObject({ pid: manager.pid, state: 'draining' })
    await expect(scenario.submit(visitor, ledgerCommand(directory, 'refused', 0))).rejects.toMatchObject({
      code: 'manager_unavailable',
    })

    const submitted = scenario.submit(client, ledgerCommand(directory, 'next', 0))
    expect(isManagerAlive(manager)).toBe(true)
    command.open()
    await managerGone(manager)
    const { id: next } = await submitted
    const { manager: successor } = await client.call('queue_status', {})
    expect(successor.epoch).toBe(manager.epoch + 1)
    await scenario.ended(client, [next])
    await expectOneRun(scenario, client, id)
    expect(countRuns(readLedger(directory)).has('refused')).toBe(false)
    await scenario.end()
  })

  test('with release: the processes are gone, the job waits, and the next manager runs it as a new attempt', async () => {
    const scenario = useScenario()
    const { client, command, id, manager } = await busyManager(scenario)
    await client.call('stop_manager', { running: 'release' })
    await managerGone(manager)
    await scenario.ledger.assertNothingLeft()
    expect(countRuns(readLedger(scenario.directory)).get('running')).toEqual({ starts: 1, ends: 0 })
    command.open()
    const job = await scenario.endOf(client, id)
    // One attempt is allowed (max_attempts 1): the released one did not count.
    expect(job).toMatchObject({ state: 'completed', attempts: 2 })
    expect(outcomes(job)).toEqual(['released', 'completed'])
    expect(countRuns(readLedger(scenario.directory)).get('running')).toEqual({ starts: 2, ends: 1 })
    await scenario.end()
  })

  test('by default: the command goes on and is adopted', async () => {
    const scenario = useScenario()
    const { client, command, id, manager } = await busyManager(scenario)
    await client.call('stop_manager', {})
    await managerGone(manager)
    expect(readManagerFile(scenario.home)).toMatchObject({ pid: manager.pid, state: 'stopped', socket: null })
    const { manager: next, slots } = await client.call('queue_status', {})
    expect(next.epoch).toBe(manager.epoch + 1)
    expect(slots.busy).toBe(1)
    command.open()
    await expectOneRun(scenario, client, id)
    await scenario.end()
  })

  test('by SIGTERM: like a user, at once; the command goes on', async () => {
    const scenario = useScenario()
    const { client, command, id, manager } = await busyManager(scenario)
    process.kill(manager.pid, 'SIGTERM')
    await managerGone(manager)
    expect(readManagerFile(scenario.home)).toMatchObject({ pid: manager.pid, state: 'stopped' })
    expect(countRuns(readLedger(scenario.directory)).get('running')).toEqual({ starts: 1, ends: 0 })
    command.open()
    await expectOneRun(scenario, client, id)
    expect(readDeaths(statePaths(scenario.home).deathsFile).deaths).toEqual([])
    await scenario.end()
  })

  test('a second signal forces it while it waits, and it still counts as stopped', async () => {
    const scenario = useScenario()
    const { home, directory, ledger } = scenario
    const { client, command, id, manager } = await busyManager(scenario, { ignoreTerm: true })
    await client.call('stop_manager', { running: 'release' })
    process.kill(manager.pid, 'SIGTERM')
    await waitUntil(() => readFileSync(statePaths(home).managerLog, 'utf8').includes('"signal":"SIGTERM"'), {
      what: 'the first signal to be noticed',
    })
    expect(isManagerAlive(manager), 'the first signal does not end the release').toBe(true)
    process.kill(manager.pid, 'SIGTERM')
    // Far less than the grace of 20 s that the release would wait for.
    await managerGone(manager, 10_000)
    expect(readManagerFile(home)).toMatchObject({ pid: manager.pid, state: 'stopped' })
    command.open()
    await command.ended()
    await ledger.assertNothingLeft()

    const job = await scenario.endOf(client, id)
    // The release was begun, so the next manager finishes it.
    expect(outcomes(job)).toEqual(['released', 'completed'])
    expect(countRuns(readLedger(directory)).get('running')).toEqual({ starts: 2, ends: 2 })
    await scenario.end()
  })

  test('a wait in flight is answered, so that it does not start the next manager', async () => {
    const scenario = useScenario()
    const { client, command, id, manager } = await busyManager(scenario)
    const visitor = scenario.client({ launch: false })
    const waiting = client.call('wait_for_jobs', { ids: [id], timeout_s: 40 })
    // A call that was sent later on the same client is answered: the wait has arrived.
    await client.call('queue_status', {})
    await visitor.call('stop_manager', {})
    expect(await waiting).toMatchObject({ satisfied: false })
    await managerGone(manager)
    expect(readManagerFile(scenario.home)).toMatchObject({ pid: manager.pid, state: 'stopped' })
    command.open()
    await expectOneRun(scenario, client, id)
    await scenario.end()
  })
})

describe('versions', () => {
  test('a newer client makes a busy manager hand over, once; the command is adopted', async () => {
    const scenario = useScenario()
    const { client, command, id, manager } = await busyManager(scenario)
    const newer = scenario.client({ version: newerVersion })
    const begun = performance.now()
    // What is started is this installation, older than the client claims: it is accepted, not asked again.
    const { manager: next, slots } = await newer.call('queue_status', {})
    expect(performance.now() - begun).toBeLessThan(await stretched(5_000))
    expect(next).toMatchObject({ version, epoch: manager.epoch + 1 })
    expect(slots.busy).toBe(1)
    await killManager(scenario.home)
    expect((await newer.call('queue_status', {})).manager.epoch).toBe(manager.epoch + 2)
    expect((await client.call('queue_status', {})).manager.epoch).toBe(manager.epoch + 2)
    command.open()
    await expectOneRun(scenario, newer, id)
    await scenario.end()
  })

  test('an older client uses a newer manager as it is', async () => {
    const scenario = useScenario()
    const { command, id, manager } = await busyManager(scenario)
    const older = scenario.client({ version: '0.0.1' })
    expect((await older.call('queue_status', {})).manager).toMatchObject({
      pid: manager.pid,
      epoch: manager.epoch,
      version,
    })
    command.open()
    await expectOneRun(scenario, older, id)
    await scenario.end()
  })

  test('a newer installation takes over; older clients use it and start it again after its death', async () => {
    const scenario = useScenario()
    const { home, environment } = scenario
    const { client, command, id, manager } = await busyManager(scenario)
    const installation = mkdtempSync(join(tmpdir(), 'nk-newer-'))
    onTestFinished(() => rmSync(installation, { recursive: true, force: true }))
    cpSync(join(repositoryRoot, 'dist'), join(installation, 'dist'), { recursive: true })
    symlinkSync(join(repositoryRoot, 'node_modules'), join(installation, 'node_modules'))
    const manifest = JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8')) as object
    writeFileSync(join(installation, 'package.json'), JSON.stringify({ ...manifest, version: newerVersion }))
    const program = join(installation, 'dist', 'cli', 'main.js')

    // Two at once: one handover.
    const started = await Promise.all(
      [1, 2].map(() =>
        promisify(execFile)(process.execPath, [program, 'manager', 'start', '--json'], { env: { ...environment } }),
      ),
    )
    for (const { stdout } of started)
      expect(JSON.parse(stdout)).toMatchObject({ version: newerVersion, epoch: manager.epoch + 1 })
    expect((await client.call('queue_status', {})).manager).toMatchObject({
      version: newerVersion,
      epoch: manager.epoch + 1,
    })

    const dead = await killManager(home)
    expect(dead.version).toBe(newerVersion)
    const { manager: again, slots } = await client.call('queue_status', {})
    expect(again).toMatchObject({ version: newerVersion, epoch: manager.epoch + 2 })
    expect(slots.busy).toBe(1)
    command.open()
    await expectOneRun(scenario, client, id)
    await scenario.end()
  })
})

describe('idle exit', () => {
  test('an idle manager ends by itself and leaves no process', async () => {
    const scenario = useScenario({ idle_exit: '1s' })
    const client = scenario.client()
    await client.connect()
    const manager = await waitForManager(scenario.home)
    await client.close()
    await managerGone(manager)
    expect(readManagerFile(scenario.home)).toMatchObject({ pid: manager.pid, state: 'idle' })
    await scenario.ledger.assertNothingLeft()
  })

  test('not while a command runs or a job is delayed', async () => {
    const scenario = useScenario({ idle_exit: '1s' })
    const { home, directory } = scenario
    const client = scenario.client()
    await scenario.submit(client, ledgerCommand(directory, 'long', 2))
    await client.close()
    const manager = await waitForManager(home)
    const ended = (name: string) =>
      waitUntil(() => readLedger(directory).some((line) => line.name === name && line.event === 'end'), {
        what: `${name} to end`,
      })
    await ended('long')
    expect(readManagerFile(home)).toMatchObject({ pid: manager.pid, state: 'leading' })

    const later = scenario.client()
    const runAt = Date.now() + 2_500
    await scenario.submit(later, { ...ledgerCommand(directory, 'delayed', 0), run_at: new Date(runAt).toISOString() })
    await later.close()
    await ended('delayed')
    expect(readLedger(directory).find(({ name }) => name === 'delayed')?.at).toBeGreaterThanOrEqual(runAt)
    expect(readManagerFile(home), 'the same manager lived through it').toMatchObject({
      pid: manager.pid,
      epoch: manager.epoch,
    })
    await managerGone(manager)
    expect(readManagerFile(home)?.state).toBe('idle')
    await scenario.ledger.assertNothingLeft()
  })
})
