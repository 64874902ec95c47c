import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { writeFileAtomic } from './atomic-file.ts'

const deathsFile = z.object({
  deaths: z.array(z.object({ at: z.int(), epoch: z.int(), pid: z.int() })),
  healing_stopped: z.object({ at: z.int(), reason: z.string() }).nullable(),
})
export type Deaths = z.infer<typeof deathsFile>

/** @returns the recent unclean ends of managers; empty when nothing was recorded. */
export function readDeaths(file: string): Deaths {
  try {
    return deathsFile.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    return { deaths: [], healing_stopped: null }
  }
}

/** More say nothing new. */
const mostDeaths = 100

/**
 * Notes that a manager was found dead. Called by the next manager. What is older than `keepAfter` (wall ms) is dropped; why
 * healing stopped stays until then, because the manager that can show it starts only afterwards.
 */
export function recordDeath(file: string, death: Deaths['deaths'][number], keepAfter: number): void {
  const { deaths, healing_stopped: stopped } = readDeaths(file)
  const kept = [...deaths.filter((earlier) => earlier.at > keepAfter), death].slice(-mostDeaths)
  writeFileAtomic(
    file,
    JSON.stringify({ deaths: kept, healing_stopped: stopped !== null && stopped.at > keepAfter ? stopped : null }),
  )
}

/** Leaves the reason for `doctor` and `queue_status`; the next client tries again. */
export function recordHealingStopped(file: string, at: number, reason: string): void {
  writeFileAtomic(file, JSON.stringify({ ...readDeaths(file), healing_stopped: { at, reason } }))
}
