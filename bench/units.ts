import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { ManagerClient } from '../src/client/manager-client.ts'
import type { JobView } from '../src/domain/wire/shared.ts'
import { benchContext, makeBenchDirectory, neverDue, runScript, withBenchHome } from './bench-home.ts'
import { type Figure, median } from './figures.ts'
import { measureUnitsFloor } from './units-floor.ts'

/** Looks seldom: a look costs the manager something, and the times come from the rows. */
const lookMs = 200

export interface Paces {
  /** Units that were all there before the first started. */
  readonly ran: number
  /** From the first start to the end of the job, while its units are still being added. */
  readonly addedAndRan: number
}

/** @returns the job as it is shown now */
export async function look(client: ManagerClient, id: string): Promise<Omit<JobView, 'attempt_history'>> {
  const { jobs } = await client.call('job_status', { ids: [id] })
  if (jobs[0] === undefined) throw new Error(`job ${id} is gone`)
  return jobs[0]
}

function submit(client: ManagerClient, type: string, key: string, units: number, isDue: boolean) {
  return client.call('submit_job', {
    type,
    params: {},
    source: { kind: 'range', from: 1, to: units },
    idempotency_key: key,
    context: benchContext,
    ...(isDue ? {} : { run_at: neverDue }),
  })
}

/** @returns units per second from `started_at` (the claim of the first unit) to `finished_at`, both written by the manager */
async function paceOf(client: ManagerClient, id: string, units: number): Promise<number> {
  for (;;) {
    const job = await look(client, id)
    if (!job.final) {
      await delay(lookMs)
      continue
    }
    if (job.stored_state !== 'completed' || job.counts?.completed !== units || job.started_at === null)
      throw new Error(`job ${id} ended as ${job.stored_state} with ${job.counts?.completed} of ${units} units`)
    return (units * 1_000) / (Date.parse(job.finished_at ?? '') - Date.parse(job.started_at))
  }
}

/** Runs two jobs of a type that does nothing: one whose units are added while it runs, one whose units are there. */
export async function measurePaces(client: ManagerClient, type: string, name: string, units: number): Promise<Paces> {
  const { id } = await submit(client, type, `${name}-due`, units, true)
  const addedAndRan = await paceOf(client, id, units)
  const { id: waiting } = await submit(client, type, `${name}-waiting`, units, false)
  while ((await look(client, waiting)).counts?.available !== units) await delay(lookMs)
  await client.call('update_job', { id: waiting, run_at: new Date().toISOString() })
  return { addedAndRan, ran: await paceOf(client, waiting, units) }
}

async function measurePlainjob(units: number): Promise<Paces> {
  const directory = makeBenchDirectory('plainjob')
  try {
    const environment = process.env as Record<string, string>
    const answer = await runScript('plainjob-load.ts', [join(directory, 'plainjob.db'), String(units)], environment)
    const { ranPerSecond, addedAndRanPerSecond } = answer as { ranPerSecond: number; addedAndRanPerSecond: number }
    return { ran: ranPerSecond, addedAndRan: addedAndRanPerSecond }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function measureFloor(units: number): Paces {
  const { ranPerSecond, addedAndRanPerSecond } = measureUnitsFloor(units)
  return { ran: ranPerSecond, addedAndRan: addedAndRanPerSecond }
}

/**
 * No-op units through manager and store, durable, in one job by a source; against the same row changes by better-sqlite3 alone
 * and against plainjob with its own defaults. The three take turns.
 */
export function measureUnits(units: number, rounds: number): Promise<readonly Figure[]> {
  return withBenchHome(async ({ client }) => {
    const ours: Paces[] = []
    const floor: Paces[] = []
    const plainjob: Paces[] = []
    await measurePaces(client, 'noop', 'warm-up', 5_000)
    for (let round = 0; round < rounds; round += 1) {
      floor.push(measureFloor(units))
      ours.push(await measurePaces(client, 'noop', `round-${round}`, units))
      plainjob.push(await measurePlainjob(units))
    }
    const figures = (pace: keyof Paces, what: string) =>
      compare(what, median(ours.map((one) => one[pace])), {
        floor: median(floor.map((one) => one[pace])),
        plainjob: median(plainjob.map((one) => one[pace])),
      })
    return [...figures('ran', 'units run'), ...figures('addedAndRan', 'units added and run')]
  })
}

function compare(what: string, ours: number, { floor, plainjob }: { floor: number; plainjob: number }): Figure[] {
  const floorName = `floor, ${what}`
  const plainjobName = `plainjob, ${what}`
  return [
    { name: floorName, value: floor, unit: 'units/s', goal: null },
    { name: plainjobName, value: plainjob, unit: 'jobs/s', goal: null },
    {
      name: `units_per_second, ${what}`,
      value: ours,
      unit: 'units/s',
      goal: { at: 'least', value: 30_000 },
      ratioTo: { name: floorName, value: floor },
    },
    { name: `${what}, ratio to the floor`, value: ours / floor, unit: 'x', goal: { at: 'least', value: 0.4 } },
    { name: `${what}, ratio to plainjob`, value: ours / plainjob, unit: 'x', goal: { at: 'least', value: 2.5 } },
  ]
}
