import { refusal } from './refusal.ts'

/** Who sends a request. */
export interface Identity {
  /** `token:<name>` or `oauth:<issuer>#<subject>`; tasks and sessions are bound to it. */
  readonly principal: string
  /** False once what was shown no longer counts: then open streams end. */
  holds(): boolean
}

export type Verdict = { readonly identity: Identity } | { readonly refused: Response }

export interface Authenticator {
  authenticate(request: Request): Promise<Verdict>
}

/** Knows the tokens of this machine. */
export interface TokenTable {
  find(secret: string): Identity | null
}

/** Knows the access tokens of an issuer. */
export interface AccessTokens {
  verify(token: string): Promise<Verdict>
}

const longestTokenChars = 8_192
const howTo = 'Send "Authorization: Bearer TOKEN"; on the machine of the server, nightkiln token shows it.'

/** The header of a 401 or 403; values are ours, or printable and without quotes. */
export function challenge(parameters: Readonly<Record<string, string | null>>): Record<string, string> {
  const parts = Object.entries({ realm: 'nightkiln', ...parameters }).filter(([, value]) => value !== null)
  return { 'www-authenticate': `Bearer ${parts.map(([name, value]) => `${name}="${value}"`).join(', ')}` }
}

/**
 * @param oauth null without an issuer
 * @param metadataUrl where a client learns of the issuer
 */
export function createAuthenticator(
  tokens: TokenTable,
  oauth: AccessTokens | null,
  metadataUrl: string | null,
): Authenticator {
  const where = { resource_metadata: metadataUrl, scope: metadataUrl === null ? null : requiredScope }
  return {
    async authenticate(request) {
      const header = request.headers.get('authorization')
      if (header === null)
        return { refused: refusal(401, `A token is missing. ${howTo}`, { headers: challenge(where) }) }
      const secret = /^Bearer +([\x21-\x7e]+) *$/i.exec(header)?.[1]
      if (secret !== undefined && secret.length <= longestTokenChars) {
        const identity = tokens.find(secret)
        if (identity !== null) return { identity }
        if (oauth !== null && /^[\w-]+\.[\w-]+\.[\w-]*$/.test(secret)) return oauth.verify(secret)
      }
      const headers = challenge({ error: 'invalid_token', ...where })
      return {
        refused: refusal(401, `The token is not one of this server; it may have been rotated. ${howTo}`, { headers }),
      }
    },
  }
}

/** What an access token must allow. */
export const requiredScope = 'nightkiln'
