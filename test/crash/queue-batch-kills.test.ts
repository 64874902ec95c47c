import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { ManagerClient } from '../../src/client/manager-client.ts'
import type { UnitView } from '../../src/domain/wire/units.ts'
import { killManager, waitForManager } from '../support/manager-process.ts'
import { waitUntil } from '../support/wait-until.ts'
import { useScenario } from './support-a/scenario.ts'
import { seededRandom, testSeed } from './support-a/seeded-random.ts'
import { integrityOf } from './support-b/database.ts'
import { type Counts, openUnitRows, type StoredAttempt, type UnitRows } from './support-queue/unit-rows.ts'

const kills = 5

const sumOf = ({ available, running, completed, failed, cancelled }: Counts): number =>
  available + running + completed + failed + cancelled

/** Looks at a job from both sides, through the API and in the database, and checks every look. */
function startSampling(client: ManagerClient, rows: UnitRows, jobId: string, why: string) {
  let ended = false
  let samples = 0
  let answers = 0
  let last = { total: 0, completed: 0, progress: 0 }

  const look = () => {
    const { counts, rows: counted, isGapless } = rows.sample(jobId)
    samples += 1
    expect(counts, `counts and rows, ${why}`).toMatchObject(counted)
    expect(isGapless, `positions without gap, ${why}`).toBe(true)
    expect(counts.completed, `completed units stay so, ${why}`).toBeGreaterThanOrEqual(last.completed)
    expect(counts.total, `added units stay, ${why}`).toBeGreaterThanOrEqual(last.total)
    last = { ...last, total: counts.total, completed: counts.completed }
    return counts
  }

  const ask = async () => {
    const before = look()
    const [job] = (await client.call('job_status', { ids: [jobId], detail: 'full' })).jobs
    const after = look()
    const { counts } = job ?? {}
    if (counts === undefined) throw new Error(`an answer without counts, ${why}`)
    answers += 1
    expect(sumOf(counts), `the answer's counts, ${why}`).toBe(counts.total)
    // The answer is of a moment between the two looks.
    expect(counts.completed).toBeGreaterThanOrEqual(before.completed)
    expect(counts.completed).toBeLessThanOrEqual(after.completed)
    expect(counts.total).toBeGreaterThanOrEqual(before.total)
    expect(counts.total).toBeLessThanOrEqual(after.total)
    if (job?.progress != null) {
      expect(job.progress.current, `progress goes forward, ${why}`).toBeGreaterThanOrEqual(last.progress)
      last = { ...last, progress: job.progress.current }
    }
  }

  const repeat = async (step: () => unknown, pauseMs: number) => {
    while (!ended) {
      await step()
      await delay(pauseMs)
    }
  }
  // The answers stop while no manager lives; the database is looked at all the time.
  const sampling = Promise.all([repeat(ask, 20), repeat(look, 40)])
  // A failure before the end is reported at the end.
  sampling.catch(() => undefined)
  return {
    look,
    async end() {
      ended = true
      await sampling
      return { samples, answers }
    },
  }
}

async function allUnits(client: ManagerClient, id: string): Promise<readonly UnitView[]> {
  const units: UnitView[] = []
  for (let cursor: string | undefined; ; ) {
    const page = await client.call('list_units', { id, limit: 200, ...(cursor === undefined ? {} : { cursor }) })
    units.push(...page.units)
    if (page.next_cursor === null) return units
    cursor = page.next_cursor
  }
}

/** @returns outcomes of the attempts of each unit, by position */
function outcomesByUnit(attempts: readonly StoredAttempt[]): ReadonlyMap<number, readonly string[]> {
  const byUnit = new Map<number, string[]>()
  for (const { position, outcome } of attempts) byUnit.set(position, [...(byUnit.get(position) ?? []), outcome])
  return byUnit
}

describe('a batch whose manager is killed by SIGKILL', () => {
  test('5 times while 10,000 units are added and run: each has one outcome, every look is exact', async () => {
    const count = 10_000
    const seed = testSeed()
    const why = `seed ${seed}`
    const random = seededRandom(seed)
    const scenario = useScenario()
    const { home } = scenario
    const client = scenario.client()
    const begun = performance.now()
    // Paced, so that every kill comes while it runs however fast the machine is; a kill must not make a burst either.
    await client.call('update_job', { queue: 'default', queue_rate_limit: { count: 300, interval_s: 0.1 } })
    const { id } = await scenario.submit(client, {
      type: 'noop',
      params: {},
      source: { kind: 'range', from: 0, to: count - 1, step: 1 },
    })
    const rows = openUnitRows(home)
    const sampling = startSampling(client, rows, id, why)

    // Two kills while units are still being added, the others while they run: each at a random one of them.
    const marks = [0.02, 0.2, 0.3, 0.45, 0.6].map((from) => Math.round(count * (from + random() * 0.1)))
    let killsWhileFeeding = 0
    let killsWhileUnfinished = 0
    for (const [index, mark] of marks.entries()) {
      await waitUntil(
        () => {
          const counts = rows.counts(id)
          return (index < 2 ? counts.total : counts.completed) >= mark
        },
        { intervalMs: 1, what: `unit ${mark}` },
      )
      const dead = await killManager(home)
      const { counts, jobState } = rows.sample(id)
      if (counts.total < count) killsWhileFeeding += 1
      if (jobState === 'running' || jobState === 'queued') killsWhileUnfinished += 1
      await waitForManager(home, { notEpoch: dead.epoch })
    }
    const job = await scenario.endOf(client, id)
    const { samples, answers } = await sampling.end()
    const finished = sampling.look()

    const attempts = rows.attempts(id)
    const outcomes = outcomesByUnit(attempts)
    const wrong = [...outcomes].filter(([, all]) => all.filter((outcome) => outcome !== 'released').length !== 1)
    const views = await allUnits(client, id)
    const figures = {
      seed,
      kills,
      kills_while_adding: killsWhileFeeding,
      kills_while_unfinished: killsWhileUnfinished,
      units: finished.total,
      lost: count - finished.completed,
      with_other_than_one_outcome: wrong.length,
      released: attempts.filter(({ outcome }) => outcome === 'released').length,
      samples,
      answers,
      total_ms: Math.round(performance.now() - begun),
    }
    process.stdout.write(`${JSON.stringify({ batch_kills: figures })}\n`)

    expect(job.state, why).toBe('completed')
    expect(job.progress, why).toMatchObject({ current: count, total: count })
    expect(finished, why).toMatchObject({ total: count, completed: count, available: 0, running: 0, failed: 0 })
    expect(wrong, why).toEqual([])
    expect(attempts.filter(({ outcome }) => outcome === 'completed')).toHaveLength(count)
    expect(views.map(({ unit }) => unit)).toEqual(Array.from({ length: count }, (_, position) => position))
    // Each value once, at its own place: the enumeration went on where it stood.
    expect(
      views.every(({ unit, untrusted_input, result }) => untrusted_input === String(unit) && result === unit),
    ).toBe(true)
    expect(killsWhileFeeding, why).toBeGreaterThanOrEqual(1)
    expect(killsWhileUnfinished, why).toBeGreaterThanOrEqual(4)
    expect(integrityOf(home)).toBe('ok')
    await scenario.end()
  })

  test('5 times while 60 commands run, 4 at once: none is lost, none runs twice that is not told as lost', async () => {
    const count = 60
    const seed = testSeed()
    const why = `seed ${seed}`
    const random = seededRandom(seed)
    const scenario = useScenario({ slots: 8 })
    const { home, directory } = scenario
    const client = scenario.client()
    const script = 'echo "$0 $NIGHTKILN_ATTEMPT" >> ledger.txt; sleep 0.1; echo "result of $0"'
    const { id } = await scenario.submit(client, {
      params: { argv: ['/bin/sh', '-c', script, '{{unit.name}}'], cwd: directory },
      units: Array.from({ length: count }, (_, number) => ({ name: `unit${number}` })),
      concurrency: 4,
    })
    const rows = openUnitRows(home)
    const sampling = startSampling(client, rows, id, why)
    let mostRunning = 0
    for (let kill = 1; kill <= kills; kill += 1) {
      const mark = Math.round(((kill - random()) * count) / (kills + 1))
      await waitUntil(
        () => {
          const counts = rows.counts(id)
          mostRunning = Math.max(mostRunning, counts.running)
          return counts.completed >= mark
        },
        { intervalMs: 1, what: `unit ${mark}` },
      )
      const dead = await killManager(home)
      await waitForManager(home, { notEpoch: dead.epoch })
    }
    const job = await scenario.endOf(client, id)
    const { samples, answers } = await sampling.end()

    const ledger = readFileSync(join(directory, 'ledger.txt'), 'utf8').trim().split('\n')
    const outcomes = outcomesByUnit(rows.attempts(id))
    const starts = (position: number) => ledger.filter((line) => line.split(' ')[0] === `unit${position}`).length
    const told = (position: number) => (outcomes.get(position) ?? []).filter((outcome) => outcome === 'lost').length
    const positions = Array.from({ length: count }, (_, position) => position)
    const figures = {
      seed,
      kills,
      units: count,
      never_ran: positions.filter((position) => starts(position) === 0).length,
      ran_twice_untold: positions.filter((position) => starts(position) > 1 + told(position)).length,
      told_as_lost: positions.filter((position) => told(position) > 0).length,
      most_running: mostRunning,
      samples,
      answers,
    }
    process.stdout.write(`${JSON.stringify({ command_batch_kills: figures })}\n`)

    expect(job.state, why).toBe('completed')
    expect(figures, why).toMatchObject({ never_ran: 0, ran_twice_untold: 0 })
    expect(mostRunning, why).toBeLessThanOrEqual(4)
    for (const [position, all] of outcomes) {
      expect(
        all.filter((outcome) => outcome !== 'released' && outcome !== 'lost'),
        `unit ${position}, ${why}`,
      ).toEqual(['completed'])
    }
    for (const { unit, state, result } of await allUnits(client, id)) {
      expect({ unit, state, result }, why).toMatchObject({
        state: 'completed',
        result: { exit_code: 0, untrusted_output_tail: `result of unit${unit}\n` },
      })
    }
    await scenario.end()
  })
})
