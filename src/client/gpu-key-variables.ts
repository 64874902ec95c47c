import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { statePaths } from '../config/paths.ts'

const keyPlaces = z.object({ workers: z.record(z.string(), z.unknown()) })
const inEnvironment = z.object({ key: z.object({ env: z.string().regex(/^(?!NIGHTKILN_)[^=\0]+$/) }) })

/** @returns the variables that gpu-workers.json names as places of keys, as far as they are set: a manager needs them, and nothing else */
export function gpuKeyVariables(home: string, environment: NodeJS.ProcessEnv = process.env): Record<string, string> {
  const kept: Record<string, string> = {}
  for (const entry of entriesOf(statePaths(home).gpuWorkers)) {
    const parsed = inEnvironment.safeParse(entry)
    const name = parsed.success ? parsed.data.key.env : null
    const value = name === null ? undefined : environment[name]
    if (name !== null && value !== undefined) kept[name] = value
  }
  return kept
}

/** What is wrong with the file the manager tells. */
function entriesOf(file: string): readonly unknown[] {
  try {
    return Object.values(keyPlaces.parse(JSON.parse(readFileSync(file, 'utf8'))).workers)
  } catch {
    return []
  }
}
