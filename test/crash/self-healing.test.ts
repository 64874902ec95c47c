import { describe, expect, test } from 'vitest'
import { statePaths } from '../../src/config/paths.ts'
import { readDeaths } from '../../src/platform/deaths-file.ts'
import { countRuns, ledgerCommand, readLedger } from '../support/ledger-command.ts'
import { isManagerAlive, killManager, readManagerFile, waitForManager } from '../support/manager-process.ts'
import { waitUntil } from '../support/wait-until.ts'
import { gatedCommand } from './support-a/gated-command.ts'
import { managerGone } from './support-a/manager-gone.ts'
import { useScenario } from './support-a/scenario.ts'

describe('nobody is there when the manager goes', () => {
  test('killed with 10 commands behind a running one: all complete by themselves', async () => {
    const scenario = useScenario({ slots: 1 })
    const { home, directory } = scenario
    const evening = scenario.client()
    const first = gatedCommand(directory, 'first')
    const ids = [(await scenario.submit(evening, first.job)).id]
    for (let number = 1; number <= 10; number += 1) {
      ids.push((await scenario.submit(evening, ledgerCommand(directory, `behind${number}`, 0.1))).id)
    }
    await first.started()
    await evening.close()
    const dead = await killManager(home)
    first.open()

    // From here on only files are looked at.
    await waitUntil(() => readLedger(directory).filter(({ event }) => event === 'end').length === 11, {
      timeoutMs: 30_000,
      what: 'all commands to end without a client',
    })
    const healed = await waitForManager(home)
    expect(healed.epoch).toBe(dead.epoch + 1)
    expect(readDeaths(statePaths(home).deathsFile)).toMatchObject({
      deaths: [{ pid: dead.pid }],
      healing_stopped: null,
    })

    const morning = scenario.client()
    for (const job of await scenario.ended(morning, ids)) expect(job).toMatchObject({ state: 'completed', attempts: 1 })
    for (const [name, runs] of countRuns(readLedger(directory))) expect(runs, name).toEqual({ starts: 1, ends: 1 })
    await scenario.end()
  })

  test('killed with nothing running and a job due later: the next one starts by itself, and once', async () => {
    const scenario = useScenario()
    const { home } = scenario
    const client = scenario.client()
    const due = new Date(Date.now() + 2_000).toISOString()
    const { id } = await scenario.submit(client, { type: 'noop', params: {}, units: [1, 2, 3], run_at: due })
    await client.close()
    const dead = await killManager(home)
    const healed = await waitForManager(home, { notEpoch: dead.epoch })
    expect(healed.epoch).toBe(dead.epoch + 1)
    const morning = scenario.client()
    expect(await scenario.endOf(morning, id)).toMatchObject({ state: 'completed', counts: { completed: 3 } })
    expect(readManagerFile(home)).toMatchObject({ pid: healed.pid })
    await scenario.end()
  })

  test('stopped on purpose: it stays stopped when the command that was left running ends', async () => {
    const scenario = useScenario()
    const { home, directory, ledger } = scenario
    const client = scenario.client()
    const command = gatedCommand(directory, 'left')
    const { id } = await scenario.submit(client, command.job)
    await command.started()
    const manager = await waitForManager(home)
    await client.call('stop_manager', {})
    await managerGone(manager)
    command.open()
    await command.ended()
    // Whatever the runner started would be a process of this state directory.
    await ledger.assertNothingLeft()
    expect(readManagerFile(home)).toMatchObject({ pid: manager.pid, state: 'stopped' })

    const job = await scenario.endOf(client, id)
    expect(job).toMatchObject({ state: 'completed', attempts: 1 })
    await scenario.end()
  })

  test('handed over to a successor that never came: the end of a command starts one', async () => {
    const scenario = useScenario()
    const { home, directory } = scenario
    const client = scenario.client()
    const command = gatedCommand(directory, 'orphaned')
    const { id } = await scenario.submit(client, command.job)
    await command.started()
    const manager = await waitForManager(home)
    await client.call('stop_manager', { reason: 'handover' })
    await managerGone(manager)
    expect(readManagerFile(home)?.state).toBe('handover')
    command.open()
    await waitForManager(home, { notEpoch: manager.epoch })
    const job = await scenario.endOf(client, id)
    expect(job).toMatchObject({ state: 'completed', attempts: 1 })
    expect(readDeaths(statePaths(home).deathsFile).deaths, 'a handover is no death').toEqual([])
    await scenario.end()
  })

  test('after 5 deaths in 10 minutes it stops and says why; the next client goes on', async () => {
    const scenario = useScenario({ slots: 1 })
    const { home, directory, ledger } = scenario
    const evening = scenario.client()
    const commands = [1, 2, 3, 4, 5, 6].map((number) => gatedCommand(directory, `night${number}`))
    const ids: string[] = []
    for (const command of commands) ids.push((await scenario.submit(evening, command.job)).id)
    await evening.close()
    for (const command of commands.slice(0, 5)) {
      await command.started(20_000)
      await waitForManager(home)
      await killManager(home)
      command.open()
      await command.ended()
    }

    // The fifth death is not healed: nothing runs any more, and the reason is there to be read.
    const stopped = await waitUntil(() => readDeaths(statePaths(home).deathsFile).healing_stopped)
    expect(stopped.reason).toBe('the manager died 5 times within 10 minutes')
    await ledger.assertNothingLeft()
    expect(readManagerFile(home)?.state).toBe('leading')
    expect(readLedger(directory).some(({ name }) => name === 'night6')).toBe(false)

    const morning = scenario.client()
    const { warnings } = await morning.call('queue_status', {})
    expect(warnings.join('\n')).toMatch(/Self-healing stopped at .*: the manager died 5 times within 10 minutes/)
    commands[5]?.open()
    for (const job of await scenario.ended(morning, ids)) expect(job).toMatchObject({ state: 'completed', attempts: 1 })
    const last = readManagerFile(home)
    expect(last !== null && isManagerAlive(last)).toBe(true)
    await scenario.end()
  })
})
