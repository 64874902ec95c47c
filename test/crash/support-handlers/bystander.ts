import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { stretched } from '../../support/machine-speed.ts'
import { waitUntil } from '../../support/wait-until.ts'
import { checkpointOnDisk, counterParams, readCounted, stepsOf } from './counter.ts'
import { type HandlerHome, outcomesOf } from './handler-home.ts'

/** How a first attempt ended that was no fault of its own. */
export type FirstEnd = 'released' | 'lost' | null

export interface Bystander {
  readonly id: string
  /**
   * Lets it go, and demands that it came to no harm: one attempt; or, when its host had to die, a second one that went on where the
   * first had saved, and no failure.
   */
  check(firstEnd: FirstEnd): Promise<void>
}

const stepMs = 50
/** From its last step until its end is recorded. */
const endMs = 500
/** A new host, and maybe a turn of somebody else in it. */
const againMs = 6_000

/** Starts a job that counts until it is let go, and waits until it has counted a few steps. */
export async function startBystander(home: HandlerHome, name: string): Promise<Bystander> {
  const gate = join(home.work, `${name}.gate`)
  const params = { ...counterParams(home, name, 3, stepMs), gate }
  const id = await home.submit('counter', params, { backoff: { initial_s: 0.05 } })
  const steps = () => stepsOf(readCounted(home), name)
  await waitUntil(() => (steps()[0]?.length ?? 0) >= 3, { intervalMs: 5, what: `${name} to count` })
  return {
    id,
    async check(firstEnd) {
      writeFileSync(gate, '')
      const letGoAt = performance.now()
      const job = await home.endOf(id)
      const tookMs = performance.now() - letGoAt
      expect(job.state, job.why).toBe('completed')
      expect(outcomesOf(job)).toEqual(firstEnd === null ? ['completed'] : [firstEnd, 'completed'])
      const { units } = await home.client.call('list_units', { id })
      expect(units[0]?.failures).toBe(0)
      expect(tookMs).toBeLessThan(await stretched(firstEnd === null ? endMs : againMs))
      if (firstEnd === null) return
      const { unitId = '' } = readCounted(home).find((line) => line.name === name) ?? {}
      const saved = checkpointOnDisk(home, unitId, 1)
      expect(saved).toBeGreaterThanOrEqual(2)
      expect(job.result).toEqual({ name, from: saved })
    },
  }
}
