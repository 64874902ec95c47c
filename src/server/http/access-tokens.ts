import { errors, type JWTPayload, jwtVerify } from 'jose'
import { type AccessTokens, challenge, requiredScope, type Verdict } from './authenticator.ts'
import { createIssuerKeys, type IssuerKeysOptions, IssuerUnreachableError } from './issuer-keys.ts'
import type { OAuthSettings } from './oauth-settings.ts'
import { refusal } from './refusal.ts'

/** Signatures of a private key only: with HS* whoever knows the public key could sign, with none everybody. */
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']
/** Clocks may differ by so much, s. */
const clockTolerance = 5
const longestSubjectChars = 255

export interface AccessTokensOptions extends IssuerKeysOptions {
  /** Milliseconds since the epoch. */
  readonly now?: () => number
  /** Told why an issuer cannot be asked. */
  readonly report?: (problem: string) => void
}

/** Checks the access tokens (JWT, RFC 9068) that an issuer gives out for this server. */
export function createAccessTokens(
  { issuer, audience }: OAuthSettings,
  metadataUrl: string,
  options: AccessTokensOptions = {},
): AccessTokens {
  const { now = Date.now, report = () => {} } = options
  const keys = createIssuerKeys(issuer, options)
  let told: string | null = null

  const refused = (status: 401 | 403, error: string, description: string): Verdict => ({
    refused: refusal(status, `${description} Get a new access token from ${issuer}.`, {
      headers: challenge({
        error,
        error_description: description,
        scope: requiredScope,
        resource_metadata: metadataUrl,
      }),
    }),
  })

  return {
    async verify(token) {
      let payload: JWTPayload
      try {
        const verified = await jwtVerify(token, await keys(), {
          issuer,
          audience,
          algorithms,
          clockTolerance,
          currentDate: new Date(now()),
          requiredClaims: ['exp', 'sub'],
        })
        payload = verified.payload
        told = null
      } catch (error) {
        if (!isUnreachable(error)) return refused(401, 'invalid_token', whatIsWrong(error))
        const problem = `access tokens cannot be checked: ${(error as Error).message}`
        // Once for each reason, however many ask.
        if (problem !== told) report(problem)
        told = problem
        const message =
          'The issuer of the access tokens does not answer, so that yours cannot be checked. Try again later.'
        return { refused: refusal(503, message, { headers: { 'retry-after': '5' } }) }
      }
      const { sub = '', exp = 0 } = payload
      if (sub === '' || sub.length > longestSubjectChars) {
        return refused(401, 'invalid_token', 'The access token does not say whose it is.')
      }
      if (!scopesOf(payload).includes(requiredScope)) {
        return refused(403, 'insufficient_scope', `The access token does not have the scope ${requiredScope}.`)
      }
      const holds = () => now() < (exp + clockTolerance) * 1_000
      return { identity: { principal: `oauth:${issuer}#${sub}`, holds } }
    },
  }
}

/** Some issuers write a list under another name. */
function scopesOf({ scope, scp }: JWTPayload): readonly string[] {
  return [scope, scp].flatMap((value) => {
    if (typeof value === 'string') return value.split(' ')
    return Array.isArray(value) ? value.map(String) : []
  })
}

function isUnreachable(error: unknown): boolean {
  // What jose throws for an answer of the issuer that is no set of keys has no class of its own.
  return (
    error instanceof IssuerUnreachableError ||
    error instanceof errors.JWKSTimeout ||
    error instanceof errors.JWKSInvalid ||
    !(error instanceof errors.JOSEError) ||
    error.code === 'ERR_JOSE_GENERIC'
  )
}

/** Never the words of others: they stand in a header. */
function whatIsWrong(error: unknown): string {
  if (error instanceof errors.JWTExpired) return 'The access token has expired.'
  if (error instanceof errors.JWTClaimValidationFailed) {
    return `The claim ${error.claim.replace(/[^a-z_]/gi, '')} of the access token is missing or is not right for this server.`
  }
  if (error instanceof errors.JOSEAlgNotAllowed) return 'The access token is signed in a way that is not accepted.'
  return 'The access token is not signed by its issuer, or is no access token.'
}
