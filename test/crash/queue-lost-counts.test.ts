import { isDeepStrictEqual } from 'node:util'
import { expect, test } from 'vitest'
import { rounds } from '../support/rounds.ts'
import { waitUntil } from '../support/wait-until.ts'
import { useScenario } from './support-a/scenario.ts'
import { openUnitRows, type Sample } from './support-queue/unit-rows.ts'

const turns = rounds(1, 3)
const count = 200

test(`${count} commands that end at once, 16 at a time, ${turns} times: every one is counted`, async () => {
  const scenario = useScenario({ slots: 16 })
  const client = scenario.client()
  const ids: string[] = []
  for (let round = 1; round <= turns; round += 1) {
    const { id } = await scenario.submit(client, {
      params: { argv: ['true'], cwd: '/tmp' },
      units: Array.from({ length: count }, (_, number) => number),
      name: `round ${round}`,
    })
    ids.push(id)
    const rows = openUnitRows(scenario.home)
    let mostRunning = 0
    const drifted: Sample[] = []
    await waitUntil(
      () => {
        const sample = rows.sample(id)
        if (!isDeepStrictEqual(sample.counts, sample.rows)) drifted.push(sample)
        mostRunning = Math.max(mostRunning, sample.rows.running)
        return sample.jobState === 'completed' || drifted.length > 0
      },
      { intervalMs: 5, timeoutMs: 40_000, what: `round ${round} to complete` },
    )
    expect(drifted).toEqual([])
    expect(mostRunning).toBeGreaterThan(1)
    expect(mostRunning).toBeLessThanOrEqual(16)
    expect(rows.sample(id).counts).toMatchObject({ total: count, completed: count })
    expect(rows.attempts(id).map(({ outcome }) => outcome)).toEqual(Array.from({ length: count }, () => 'completed'))
  }
  for (const job of await scenario.ended(client, ids)) {
    expect(job, job.name).toMatchObject({
      state: 'completed',
      counts: { total: count, completed: count, available: 0, running: 0, failed: 0, cancelled: 0 },
      progress: { current: count, total: count },
    })
  }
  await scenario.end()
})
