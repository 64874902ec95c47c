import { mkdirSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { z } from 'zod'
import { writeFileAtomic } from '../../platform/atomic-file.ts'
import { type BreakerState, breakerState } from './breaker.ts'

const keptBreaker = z.object({ url: z.string(), state: breakerState })
const breakerFile = z.object({ workers: z.record(z.string(), keptBreaker) })

/** When each worker may be tried again, over restarts of the manager. */
export interface BreakerFile {
  /** @returns null when nothing is kept of a worker with this name at this URL */
  of(name: string, url: string): BreakerState | null
  write(all: readonly { readonly name: string; readonly url: string; readonly state: BreakerState }[]): void
}

/** @param warn told when the file cannot be written; queueing goes on without it */
export function createBreakerFile(file: string, warn: (message: string) => void): BreakerFile {
  const kept = readKept(file)
  let written: string | null = null
  return {
    of: (name, url) => {
      const found = kept.get(name)
      return found?.url === url ? found.state : null
    },
    write: (all) => {
      const text = `${JSON.stringify({ workers: Object.fromEntries(all.map(({ name, ...rest }) => [name, rest])) })}\n`
      if (text === written) return
      try {
        mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
        writeFileAtomic(file, text)
        written = text
      } catch (error) {
        warn(`cannot keep when GPU workers may be tried again: ${(error as Error).message}`)
      }
    },
  }
}

/** A damaged file only forgets: every worker is asked again. */
function readKept(file: string): ReadonlyMap<string, z.infer<typeof keptBreaker>> {
  try {
    return new Map(Object.entries(breakerFile.parse(JSON.parse(readFileSync(file, 'utf8'))).workers))
  } catch {
    return new Map()
  }
}
