import { runScript, withBenchHome } from './bench-home.ts'
import type { Figure } from './figures.ts'
import { measureFloor } from './floor.ts'

/** 32 submits in flight over the socket from another process, against the bare floor in the same run. */
export async function measureConcurrentSubmits(seconds: number): Promise<readonly Figure[]> {
  const inFlight = 32
  const before = await measureFloor(seconds, inFlight)
  const answer = await withBenchHome(async (bench) => {
    await bench.client.connect()
    const load = await runScript('submit-load.ts', [String(seconds), String(inFlight)], bench.environment)
    return load as { perSecond: number }
  })
  const after = await measureFloor(seconds, inFlight)
  const reference = { name: 'floor: hono + undici + group commit', value: (before + after) / 2 }
  return [
    { name: reference.name, value: reference.value, unit: 'jobs/s', goal: null },
    {
      name: `${inFlight} submits in flight over the socket`,
      value: answer.perSecond,
      unit: 'jobs/s',
      goal: { at: 'least', value: 10_000 },
      ratioTo: reference,
    },
  ]
}
