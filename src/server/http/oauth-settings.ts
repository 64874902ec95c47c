import { QueueError } from '../../domain/errors.ts'
import { isLoopbackName } from './guard.ts'

export interface OAuthSettings {
  /** Exactly as the issuer writes itself into its tokens. */
  readonly issuer: string
  /** What tokens must be for: the URL of this server as clients reach it. */
  readonly audience: string
}

/** @returns true for https, and for http to this machine */
export function isSafeUrl(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, hostname, username, hash } = new URL(text)
  return username === '' && hash === '' && (protocol === 'https:' || (protocol === 'http:' && isLoopbackName(hostname)))
}

/**
 * @returns null without an issuer
 * @throws QueueError invalid_input
 */
export function parseOAuth(issuer: string | undefined, audience: string | undefined): OAuthSettings | null {
  if (issuer === undefined && audience === undefined) return null
  if (issuer === undefined || audience === undefined) {
    throw new QueueError('invalid_input', '--oauth-issuer and --oauth-audience go together', {
      remedy: 'Give both: the issuer of the access tokens, and the URL of this server that they must be for.',
    })
  }
  for (const [option, url] of [
    ['--oauth-issuer', issuer],
    ['--oauth-audience', audience],
  ] as const) {
    if (isSafeUrl(url)) continue
    throw new QueueError('invalid_input', `${option} is "${url}", which is not an https URL`, {
      remedy: 'Write it as https://…; http is taken for this machine alone.',
    })
  }
  return { issuer, audience }
}
