import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { ManagerClient } from '../src/client/manager-client.ts'
import { statePaths } from '../src/config/paths.ts'
import type { JsonObject } from '../src/domain/job.ts'
import type { JobView } from '../src/domain/wire/shared.ts'
import { benchContext, withBenchHome } from './bench-home.ts'
import { type Figure, median } from './figures.ts'
import { look, measurePaces, type Paces } from './units.ts'
import { measureUnitsFloor } from './units-floor.ts'

const header = `import { defineHandler, z } from 'nightkiln/handler'\n`

/** Written into the handler directory, as a person would. */
const handlers: Readonly<Record<string, string>> = {
  nothing: `${header}export default defineHandler({
    type: 'nothing', title: 'Nothing', description: 'Does nothing.',
    params: z.strictObject({}), unit: z.number().optional(), result: z.null(), reusable: true,
    run: () => null,
  })`,
  fresh: `${header}export default defineHandler({
    type: 'fresh', title: 'Fresh', description: 'Does nothing, in a thread of its own.',
    params: z.strictObject({}), unit: z.number().optional(), result: z.null(),
    run: () => null,
  })`,
  busy: `${header}export default defineHandler({
    type: 'busy', title: 'Busy', description: 'Computes.',
    params: z.strictObject({ rounds: z.int() }), unit: z.number(), result: z.number(),
    run: ({ params }) => {
      let x = 1
      for (let i = 0; i < params.rounds; i += 1) x = Math.imul(x ^ (x >>> 13), 0x5bd1e995) + i
      return x
    },
  })`,
}

async function run(client: ManagerClient, key: string, job: JsonObject): Promise<Omit<JobView, 'attempt_history'>> {
  const { id } = await client.call('submit_job', {
    params: {},
    ...job,
    idempotency_key: key,
    context: benchContext,
  } as Parameters<typeof client.call<'submit_job'>>[1])
  for (;;) {
    const view = await look(client, id)
    if (view.final && view.stored_state !== 'completed') throw new Error(`${key}: ${view.why}`)
    if (view.final) return view
    await delay(20)
  }
}

function tookMs({ started_at: from, finished_at: to }: Pick<JobView, 'started_at' | 'finished_at'>): number {
  return Date.parse(to ?? '') - Date.parse(from ?? '')
}

/** How much faster two threads compute than one: the same units, one at a time and two at a time, by turns. */
async function measureSpeedUp(client: ManagerClient, rounds: number): Promise<number> {
  const job = { type: 'busy', params: { rounds: 400_000_000 }, units: [1, 2, 3, 4] }
  const ratios: number[] = []
  for (let round = 0; round < rounds; round += 1) {
    const alone = tookMs(await run(client, `alone-${round}`, { ...job, concurrency: 1 }))
    const both = tookMs(await run(client, `both-${round}`, { ...job, concurrency: 2 }))
    ratios.push(alone / both)
  }
  return median(ratios)
}

/** Units of a handler that does nothing, through manager, host and threads, durable, against the same row changes alone. */
export function measureHandlers(units: number, rounds: number): Promise<readonly Figure[]> {
  return withBenchHome(async ({ client, home }) => {
    const directory = statePaths(home).handlers
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    for (const [name, text] of Object.entries(handlers)) writeFileSync(join(directory, `${name}.mjs`), text)
    await run(client, 'first', { type: 'nothing' })
    await measurePaces(client, 'nothing', 'warm-up', 10_000)

    const ours: Paces[] = []
    const floor: number[] = []
    for (let round = 0; round < rounds; round += 1) {
      floor.push(measureUnitsFloor(units).ranPerSecond)
      ours.push(await measurePaces(client, 'nothing', `round-${round}`, units))
    }
    const ran = median(ours.map((pace) => pace.ran))
    const floorRan = median(floor)
    const freshUnits = 40
    const fresh = await run(client, 'fresh', { type: 'fresh', units: Array.from({ length: freshUnits }, (_, n) => n) })
    return [
      { name: 'floor, handler units', value: floorRan, unit: 'units/s', goal: null },
      {
        name: 'handler units run',
        value: ran,
        unit: 'units/s',
        goal: { at: 'least', value: 30_000 },
        ratioTo: { name: 'floor, handler units', value: floorRan },
      },
      {
        name: 'handler units, ratio to the floor',
        value: ran / floorRan,
        unit: 'x',
        goal: { at: 'least', value: 0.4 },
      },
      {
        name: 'handler units added and run',
        value: median(ours.map((pace) => pace.addedAndRan)),
        unit: 'units/s',
        goal: null,
      },
      {
        name: 'units in threads of their own',
        value: (freshUnits * 1_000) / tookMs(fresh),
        unit: 'units/s',
        goal: null,
      },
      {
        name: 'speed-up of two threads',
        value: await measureSpeedUp(client, rounds),
        unit: 'x',
        goal: { at: 'least', value: 1.8 },
      },
    ]
  })
}
