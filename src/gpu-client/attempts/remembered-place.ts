import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

const fileName = 'remote.json'
const remembered = z.object({ remote_id: z.string(), url: z.string() })

/**
 * Writes down beside the log where an attempt goes: by the time somebody else takes it over, its worker's name may be that of another
 * machine. Best effort: without it the name alone tells.
 */
export function rememberPlace(directory: string, remoteId: string, url: string): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    writeFileSync(join(directory, fileName), JSON.stringify({ remote_id: remoteId, url }), { mode: 0o600 })
  } catch {
    // The attempt is worth more than this.
  }
}

/** @returns the URL that an attempt was sent to; null when nobody wrote it down */
export function recallPlace(directory: string, remoteId: string): string | null {
  try {
    const found = remembered.parse(JSON.parse(readFileSync(join(directory, fileName), 'utf8')))
    return found.remote_id === remoteId ? found.url : null
  } catch {
    return null
  }
}
