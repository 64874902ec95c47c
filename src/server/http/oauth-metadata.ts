import { requiredScope } from './authenticator.ts'
import { mcpPath } from './guard.ts'
import type { OAuthSettings } from './oauth-settings.ts'
import { refusal } from './refusal.ts'

const wellKnown = '/.well-known/oauth-protected-resource'

/** What RFC 9728 lets clients ask: for which resource this is, and who gives out tokens for it. */
export interface ProtectedResource {
  /** As clients reach it. */
  readonly url: string
  /** @returns null for a path that is not one of its own */
  answer(request: Request, path: string): Response | null
}

export function protectedResource({ issuer, audience }: OAuthSettings): ProtectedResource {
  const { origin, pathname } = new URL(audience)
  const suffix = pathname === '/' ? '' : pathname
  const paths = new Set([wellKnown, `${wellKnown}${suffix}`, `${wellKnown}${mcpPath}`])
  const document = {
    resource: audience,
    authorization_servers: [issuer],
    scopes_supported: [requiredScope],
    bearer_methods_supported: ['header'],
    resource_name: 'Nightkiln',
  }
  return {
    url: `${origin}${wellKnown}${suffix}`,
    answer(request, path) {
      if (!paths.has(path)) return null
      if (request.method !== 'GET') {
        return refusal(405, 'This page is read with GET.', { headers: { allow: 'GET' } })
      }
      return new Response(JSON.stringify(document), {
        headers: { 'content-type': 'application/json', 'cache-control': 'max-age=300' },
      })
    },
  }
}
