import { createRemoteJWKSet, type JWTVerifyGetKey } from 'jose'
import { z } from 'zod'
import { isSafeUrl } from './oauth-settings.ts'

const answerMs = 5_000
/** A failed look for the metadata is not repeated sooner. */
const retryMs = 2_000
const largestMetadataChars = 1024 * 1024

const metadataSchema = z.object({ issuer: z.string(), jwks_uri: z.string().refine(isSafeUrl) })

export interface IssuerKeysOptions {
  /** An unknown key makes the keys be fetched again, but not sooner than this after the last time, ms. */
  readonly cooldownMs?: number
  /** Monotonic ms. */
  readonly clock?: () => number
}

/** The issuer cannot be asked; that says nothing of the token. */
export class IssuerUnreachableError extends Error {}

/**
 * The keys of an issuer: found through its metadata at the first token, fetched again when a token names an unknown one.
 * @returns a function that throws IssuerUnreachableError until the metadata were read
 */
export function createIssuerKeys(issuer: string, options: IssuerKeysOptions = {}): () => Promise<JWTVerifyGetKey> {
  const { cooldownMs = 30_000, clock = () => performance.now() } = options
  let keys: Promise<JWTVerifyGetKey> | undefined
  let failedAt = Number.NEGATIVE_INFINITY
  let failure: unknown

  return () => {
    if (keys !== undefined) return keys
    if (clock() - failedAt < retryMs) return Promise.reject(failure)
    keys = findKeyPage(issuer).then((url) =>
      createRemoteJWKSet(url, { timeoutDuration: answerMs, cooldownDuration: cooldownMs }),
    )
    keys.catch((error: unknown) => {
      keys = undefined
      failedAt = clock()
      failure = error
    })
    return keys
  }
}

async function findKeyPage(issuer: string): Promise<URL> {
  const { origin, pathname } = new URL(issuer)
  const path = pathname.replace(/\/$/, '')
  const pages = [
    `${origin}/.well-known/oauth-authorization-server${path}`,
    `${origin}${path}/.well-known/openid-configuration`,
    `${origin}/.well-known/openid-configuration${path}`,
  ]
  const reasons: string[] = []
  for (const page of new Set(pages)) {
    try {
      const metadata = metadataSchema.parse(await fetchJson(page))
      if (metadata.issuer === issuer) return new URL(metadata.jwks_uri)
      reasons.push(`${page} names another issuer`)
    } catch (error) {
      reasons.push(`${page}: ${error instanceof z.ZodError ? 'no issuer and jwks_uri' : (error as Error).message}`)
    }
  }
  throw new IssuerUnreachableError(`no metadata of the issuer: ${reasons.join('; ')}`)
}

async function fetchJson(url: string): Promise<unknown> {
  const response = await fetch(url, {
    redirect: 'error',
    signal: AbortSignal.timeout(answerMs),
    headers: { accept: 'application/json' },
  })
  if (response.status !== 200) {
    await response.body?.cancel()
    throw new Error(`status ${response.status}`)
  }
  let text = ''
  const decoder = new TextDecoder()
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk as Uint8Array, { stream: true })
    if (text.length > largestMetadataChars) throw new Error('the answer is too large')
  }
  return JSON.parse(text)
}
