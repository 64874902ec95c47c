import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { countRuns, readLedger, runningNames } from '../support/ledger-command.ts'
import { emptyNodeMs, slownessOf, stretched } from '../support/machine-speed.ts'
import { isManagerAlive, killManager, readManagerFile, waitForManager } from '../support/manager-process.ts'
import { rounds } from '../support/rounds.ts'
import { waitUntil } from '../support/wait-until.ts'
import { gatedCommand } from './support-a/gated-command.ts'
import { outcomes, outputTail, useScenario } from './support-a/scenario.ts'
import { seededRandom, testSeed } from './support-a/seeded-random.ts'

const kills = rounds(5, 20)
const endsPerKill = 2
const jobCount = kills * endsPerKill
/** Twice the goals of docs/performance.md, where the figures stand: a disk may be slow, too. */
const longestRecoveryMs = 4_000
const medianRecoveryMs = 1_000

const median = (values: readonly number[]): number =>
  [...values].sort((left, right) => left - right)[values.length >> 1] ?? Number.NaN

describe('manager killed by SIGKILL', () => {
  test(`${kills} times during ${jobCount} commands: nothing is lost, nothing is run again`, async () => {
    const seed = testSeed()
    const random = seededRandom(seed)
    const scenario = useScenario({ slots: 8 })
    const { home, directory } = scenario
    const client = scenario.client()
    const jobs: { name: string; id: string; open(): void }[] = []
    for (let number = 1; number <= jobCount; number += 1) {
      const name = `job${number}`
      const { job, open } = gatedCommand(directory, name)
      const { id } = await scenario.submit(client, job)
      jobs.push({ name, id, open })
    }

    const recoveries: number[] = []
    const emptyStarts: number[] = []
    let killsWhileRunning = 0
    let unadopted = 0
    for (let kill = 1; kill <= kills; kill += 1) {
      emptyStarts.push(await emptyNodeMs())
      // Some end and others start about when it dies, at every kill, however slow the machine.
      for (const { open } of jobs.slice((kill - 1) * endsPerKill, kill * endsPerKill)) open()
      await delay(Math.round(random() * 400))
      const running = runningNames(readLedger(directory))
      const dead = await killManager(home)
      const killedAt = performance.now()
      if (running.length > 0) killsWhileRunning += 1
      const status = await client.call('queue_status', {})
      recoveries.push(performance.now() - killedAt)
      expect(status.manager.epoch, `seed ${seed}`).toBeGreaterThan(dead.epoch)
      // What ran before the kill and still runs after the answer must be in the hands of the manager that answered.
      const still = new Set(runningNames(readLedger(directory)))
      unadopted += Math.max(0, running.filter((name) => still.has(name)).length - status.slots.busy)
    }

    const ended = await scenario.ended(
      client,
      jobs.map(({ id }) => id),
      60_000,
    )
    const runs = countRuns(readLedger(directory))
    const slowness = slownessOf(emptyStarts)
    const figures = {
      seed,
      kills,
      kills_while_commands_ran: killsWhileRunning,
      jobs: jobCount,
      lost: jobs.filter(({ name }) => (runs.get(name)?.ends ?? 0) === 0).length,
      rerun: jobs.filter(({ name }) => (runs.get(name)?.starts ?? 0) > 1).length,
      released_before_start: ended.filter(({ attempts }) => (attempts ?? 0) > 1).length,
      recovery_median_ms: Math.round(median(recoveries)),
      recovery_longest_ms: Math.round(Math.max(...recoveries)),
      empty_node_median_ms: Math.round(median(emptyStarts)),
    }
    process.stdout.write(`${JSON.stringify({ manager_kills: figures })}\n`)

    const why = `seed ${seed}`
    for (const { name } of jobs) expect(runs.get(name), `${name}, ${why}`).toEqual({ starts: 1, ends: 1 })
    for (const job of ended) {
      expect(job.state, `${job.name}, ${why}`).toBe('completed')
      expect(outputTail(job), why).toBe(`result ${job.name}\n`)
      // A kill between claim and spawn releases the attempt before its command began; anything else has one attempt.
      expect(
        outcomes(job).filter((outcome) => outcome !== 'released'),
        `${job.name}, ${why}`,
      ).toEqual(['completed'])
    }
    expect(killsWhileRunning, why).toBeGreaterThanOrEqual(kills / 2)
    expect(unadopted, why).toBe(0)
    expect(figures.recovery_longest_ms, why).toBeLessThan(longestRecoveryMs * slowness)
    expect(figures.recovery_median_ms, why).toBeLessThan(medianRecoveryMs * slowness)
    await scenario.end()
  })

  test('again while the next one starts: the same call starts the third', async () => {
    const scenario = useScenario()
    const { home, directory } = scenario
    const client = scenario.client()
    const command = gatedCommand(directory, 'twice')
    const { id } = await scenario.submit(client, command.job)
    await command.started()
    const first = await killManager(home)
    const killedAt = performance.now()
    const answer = client.call('queue_status', {})
    const second = await waitUntil(
      () => {
        const file = readManagerFile(home)
        return file !== null && file.pid !== first.pid && isManagerAlive(file) ? file : null
      },
      { intervalMs: 1, what: 'the second manager' },
    )
    process.kill(second.pid, 'SIGKILL')
    const { manager } = await answer
    expect(performance.now() - killedAt).toBeLessThan(await stretched(longestRecoveryMs))
    expect([first.pid, second.pid]).not.toContain(manager.pid)
    command.open()
    const job = await scenario.endOf(client, id)
    expect(job).toMatchObject({ state: 'completed', attempts: 1 })
    await scenario.end()
  })

  test('a command that ends while no manager lives: its result is recorded by the next one', async () => {
    const scenario = useScenario()
    const { home, directory } = scenario
    const client = scenario.client()
    const command = gatedCommand(directory, 'alone')
    const { id } = await scenario.submit(client, command.job)
    await command.started()
    const dead = await killManager(home)
    command.open()
    await command.ended()
    await waitForManager(home, { notEpoch: dead.epoch })
    const job = await scenario.endOf(client, id)
    expect(job).toMatchObject({ state: 'completed', attempts: 1 })
    expect(outputTail(job)).toBe('result alone\n')
    expect(countRuns(readLedger(directory)).get('alone')).toEqual({ starts: 1, ends: 1 })
    await scenario.end()
  })
})
