import { createHash, timingSafeEqual } from 'node:crypto'
import { statSync } from 'node:fs'
import { type HttpToken, readHttpTokens } from '../../platform/http-tokens.ts'
import type { TokenTable } from './authenticator.ts'

interface Known {
  readonly name: string
  readonly hash: Buffer
}

/**
 * The tokens of a file as it is now: it is read again whenever it was changed. A file that cannot be used has no tokens.
 * @param report told once of each reason why the file cannot be used
 */
export function createTokenTable(file: string, report: (problem: string) => void): TokenTable {
  let seen: string | null = null
  let known: readonly Known[] = []

  const current = (): readonly Known[] => {
    const mark = markOf(file)
    if (mark === seen) return known
    seen = mark
    try {
      known = readHttpTokens(file).map(({ name, token }: HttpToken) => ({ name, hash: hashOf(token) }))
    } catch (error) {
      known = []
      report((error as Error).message)
    }
    return known
  }

  return {
    find(secret) {
      const hash = hashOf(secret)
      let found: Known | undefined
      // All are compared, each in the same time: neither which one matched nor how much of it can be measured.
      for (const one of current()) if (timingSafeEqual(one.hash, hash)) found = one
      if (found === undefined) return null
      const { name } = found
      return {
        principal: `token:${name}`,
        holds: () => current().some((one) => one.name === name && one.hash.equals(hash)),
      }
    },
  }
}

/** What changes whenever the file does; its permissions, too. */
function markOf(file: string): string {
  const facts = statSync(file, { throwIfNoEntry: false, bigint: true })
  return facts === undefined ? 'none' : `${facts.ino}/${facts.size}/${facts.mtimeNs}/${facts.ctimeNs}`
}

function hashOf(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
