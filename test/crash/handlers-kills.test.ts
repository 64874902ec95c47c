import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { UnitView } from '../../src/domain/wire/units.ts'
import { isManagerAlive, killManager, readManagerFile, waitForManager } from '../support/manager-process.ts'
import { isAlive } from '../support/proc.ts'
import { rounds } from '../support/rounds.ts'
import { waitUntil } from '../support/wait-until.ts'
import { seededRandom, testSeed } from './support-a/seeded-random.ts'
import { readRows } from './support-b/database.ts'
import { checkpointOnDisk, counterParams, counterSource, readCounted, stepsOf } from './support-handlers/counter.ts'
import { type HandlerHome, useHandlerHome } from './support-handlers/handler-home.ts'

const threads = 4
const unitCount = rounds(22, 50)
const quickUnits = rounds(5_000, 20_000)

async function unitsOf(home: HandlerHome, id: string): Promise<readonly UnitView[]> {
  const { units } = await home.client.call('list_units', { id, limit: 200, detail: 'full' })
  return units
}

/** Attempts that were given back before they began are no fault and no run. */
function ranOutcomes(unit: UnitView): readonly string[] {
  return (unit.attempt_history ?? []).map(({ outcome }) => outcome).filter((outcome) => outcome !== 'released')
}

describe('the manager killed by SIGKILL', () => {
  test(`at random moments during ${unitCount} units with checkpoints: nothing is lost, nothing is run again`, async () => {
    const seed = testSeed()
    const why = `seed ${seed}`
    const random = seededRandom(seed)
    const home = useHandlerHome({ threads })
    home.write('counter.mjs', counterSource)
    const count = unitCount
    const units = Array.from({ length: count }, (_, at) => at)
    const id = await home.submit('counter', counterParams(home, 'unit', 12, 25), { units })
    const hosts = new Set<number>()
    let kills = 0
    let killsWhileRunning = 0
    const started = () => readCounted(home).filter(({ event }) => event === 'start').length
    const ended = () => readCounted(home).filter(({ event }) => event === 'end').length
    for (let next = 1; next < count; next += 7) {
      await waitUntil(() => ended() >= next, { intervalMs: 5, what: `${next} units to end` })
      hosts.add((await home.sharedHost()).pid)
      await delay(Math.round(random() * 300))
      await waitForManager(home.home)
      if (started() > ended()) killsWhileRunning += 1
      await killManager(home.home)
      kills += 1
      // A few times it comes back by itself; after several deaths it waits for a client.
      if (kills > 2) await home.client.call('queue_status', {})
    }
    const job = await home.endOf(id, 60_000)
    const lines = readCounted(home)
    const views = await unitsOf(home, id)
    const figures = {
      seed,
      kills,
      kills_while_units_ran: killsWhileRunning,
      units: count,
      released: views.filter(({ attempts }) => attempts > 1).length,
    }
    process.stdout.write(`${JSON.stringify({ manager_kills_with_handlers: figures })}\n`)
    expect(job, why).toMatchObject({ state: 'completed', counts: { total: count, completed: count } })
    for (const unit of views) {
      const name = `unit-${unit.unit}`
      expect(stepsOf(lines, name), `${name}, ${why}`).toEqual([Array.from({ length: 12 }, (_, at) => at + 1)])
      expect(ranOutcomes(unit), `${name}, ${why}`).toEqual(['completed'])
      expect(unit.failures, why).toBe(0)
      expect(unit.result, why).toEqual({ name, from: 0 })
    }
    expect(killsWhileRunning, why).toBeGreaterThanOrEqual(kills / 2)
    // The host outlived all of them.
    expect(
      [...hosts, (await home.sharedHost()).pid].every((pid) => pid === [...hosts][0]),
      why,
    ).toBe(true)
    await home.stop()
  })

  test(`twice during ${quickUnits} units that take no time: each is run and completed exactly once`, async () => {
    const seed = testSeed()
    const random = seededRandom(seed)
    const home = useHandlerHome({ threads: 2 })
    home.write('tally.mjs', tallySource)
    const count = quickUnits
    const ledger = join(home.work, 'tally.ledger')
    const source = { kind: 'range', from: 1, to: count, step: 1 } as const
    const id = await home.submit('tally', { ledger }, { source })
    const run = () => (existsSync(ledger) ? statSync(ledger).size / tallyLineBytes : 0)
    const kills: number[] = []
    for (const share of [0.1 + random() * 0.3, 0.5 + random() * 0.3]) {
      await waitUntil(() => run() >= share * count, { timeoutMs: 60_000, intervalMs: 2, what: `${share} of the units` })
      await killManager(home.home)
      kills.push(run())
      await waitForManager(home.home)
    }
    const job = await home.endOf(id, 60_000)
    const lines = readFileSync(ledger, 'utf8').trimEnd().split('\n').map(Number)
    process.stdout.write(
      `${JSON.stringify({ units_that_take_no_time: { seed, count, kills, seconds: job.duration_s } })}\n`,
    )
    const why = `seed ${seed}`
    expect(job, why).toMatchObject({ state: 'completed', counts: { total: count, completed: count } })
    expect(lines.length, why).toBe(count)
    expect(new Set(lines).size, why).toBe(count)
    expect(
      kills.every((at) => at < count),
      why,
    ).toBe(true)
    expect(
      readRows<{ outcome: string; count: number }>(
        home.home,
        `SELECT attempt.outcome AS outcome, count(*) AS count FROM attempt WHERE attempt.outcome <> 'released' GROUP BY 1`,
      ),
      why,
    ).toEqual([{ outcome: 'completed', count }])
    await home.stop()
  })
})

/** A number of six digits and a line break. */
const tallyLineBytes = 7

/** Source of the job type `tally`: notes its unit, and that is all. */
const tallySource = `
import { appendFileSync } from 'node:fs'
import { defineHandler, z } from 'nightkiln/handler'

export default defineHandler({
  type: 'tally',
  title: 'Tally',
  description: 'Notes its unit.',
  params: z.object({ ledger: z.string() }),
  unit: z.int(),
  result: z.int(),
  reusable: true,
  run({ params, unit }) {
    appendFileSync(params.ledger, String(unit).padStart(6, '0') + '\\n')
    return unit
  },
})
`

describe('the thread host killed by SIGKILL', () => {
  test.for([
    ['alone', false],
    ['together with the manager', true],
  ] as const)('%s, during several units: each goes on from its last checkpoint', async ([, withManager]) => {
    const home = useHandlerHome({ threads })
    home.write('counter.mjs', counterSource)
    const units = ['a', 'b', 'c', 'd', 'e', 'f']
    const running = units.slice(0, threads)
    const gate = join(home.work, 'gate')
    const params = { ...counterParams(home, 'unit', 12, 40), gate }
    const id = await home.submit('counter', params, { units, backoff: { initial_s: 0.05 } })
    const steps = (unit: string) => stepsOf(readCounted(home), `unit-${unit}`)
    await waitUntil(() => running.every((unit) => (steps(unit)[0]?.length ?? 0) >= 4), { intervalMs: 5 })
    const host = await home.sharedHost()
    const manager = await home.managerPid()
    process.kill(host.pid, 'SIGKILL')
    if (withManager) process.kill(manager, 'SIGKILL')
    await waitUntil(() => !isAlive(host.pid), { intervalMs: 2 })
    writeFileSync(gate, '')
    if (withManager) await waitUntil(() => !isAlive(manager), { intervalMs: 2 })
    const job = await home.endOf(id)
    expect(job).toMatchObject({ state: 'completed', counts: { completed: units.length, failed: 0 } })
    if (!withManager) expect(await home.managerPid()).toBe(manager)
    const lines = readCounted(home)
    for (const [at, view] of (await unitsOf(home, id)).entries()) {
      const unit = units[at] ?? ''
      const name = `unit-${unit}`
      expect(view.failures, name).toBe(0)
      const [first, ...others] = steps(unit)
      if (!running.includes(unit)) {
        expect(ranOutcomes(view), name).toEqual(['completed'])
        expect(others, name).toEqual([])
        continue
      }
      expect(ranOutcomes(view), name).toEqual(['lost', 'completed'])
      expect(others.length, name).toBe(1)
      const { unitId = '' } = lines.find((line) => line.name === name) ?? {}
      const saved = checkpointOnDisk(home, unitId, 1) ?? 0
      // A step is noted before it is saved.
      expect([saved, saved + 1], name).toContain(first?.length)
      expect(others[0]?.[0] ?? saved + 1, name).toBe(saved + 1)
      expect(view.result, name).toEqual({ name, from: saved })
      const { untrusted_output: log, attempt } = await home.client.call('job_logs', { id, unit: at })
      expect(log, name).toContain(`attempt ${attempt} goes on from ${saved}`)
      expect(view.attempt_history?.[0]?.error?.message, name).toMatch(
        /^the process of the handler .*; other attempts ran in it too, so it is tried again alone$/,
      )
    }
    await home.stop()
  })

  test('after attempts ended while no manager was there: their ends are not lost with it', async () => {
    const home = useHandlerHome({ threads })
    home.write('counter.mjs', counterSource)
    const units = ['a', 'b', 'c']
    const gate = join(home.work, 'gate')
    const id = await home.submit('counter', { ...counterParams(home, 'unit', 2, 10), gate }, { units })
    const count = (event: string) => readCounted(home).filter((line) => line.event === event).length
    await waitUntil(() => count('start') === units.length, { intervalMs: 2 })
    const host = await home.sharedHost()
    const journal = join(home.paths.hosts, host.id, 'ends.jsonl')
    await killManager(home.home)
    writeFileSync(gate, '')
    await waitUntil(() => count('end') === units.length, { intervalMs: 2 })
    // The next manager may have come already, and taken them.
    const written = () => (existsSync(journal) ? readFileSync(journal, 'utf8').split('\n').length - 1 : 0)
    const hasManager = () => {
      const file = readManagerFile(home.home)
      return file !== null && isManagerAlive(file)
    }
    const isTold = () => written() === units.length || hasManager()
    await waitUntil(isTold, { timeoutMs: 300, intervalMs: 2 }).catch(() => undefined)
    process.kill(host.pid, 'SIGKILL')
    const job = await home.endOf(id)
    expect(job).toMatchObject({ state: 'completed', counts: { completed: units.length } })
    for (const view of await unitsOf(home, id)) expect(ranOutcomes(view)).toEqual(['completed'])
    expect([count('start'), count('end')]).toEqual([units.length, units.length])
    await home.stop()
  })
})
