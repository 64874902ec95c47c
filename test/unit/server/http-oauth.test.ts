import { base64url, exportSPKI, SignJWT, UnsecuredJWT } from 'jose'
import { describe, expect, test } from 'vitest'
import { createAccessTokens } from '../../../src/server/http/access-tokens.ts'
import { createAuthenticator } from '../../../src/server/http/authenticator.ts'
import { protectedResource } from '../../../src/server/http/oauth-metadata.ts'
import { parseOAuth } from '../../../src/server/http/oauth-settings.ts'
import { audience, first, now, second, useIssuer } from './http-issuer.ts'
import { headersFor, initialize, refusalOf, useApp } from './http-support.ts'

const metadataUrl = 'https://jobs.example.org/.well-known/oauth-protected-resource/mcp'
const noTokens = { find: () => null }

type Issuer = Awaited<ReturnType<typeof useIssuer>>

function verifierOf({ issuer }: Issuer, clock: () => number = () => now) {
  const accessTokens = createAccessTokens({ issuer: issuer.url, audience }, metadataUrl, { now: clock, cooldownMs: 0 })
  const authenticator = createAuthenticator(noTokens, accessTokens, metadataUrl)
  return async (token: string) => {
    const headers = { authorization: `Bearer ${token}` }
    const verdict = await authenticator.authenticate(new Request('http://localhost/mcp', { headers }))
    if ('identity' in verdict) return verdict.identity.principal
    const { status, headers: told } = verdict.refused
    const { message } = refusalOf(await verdict.refused.text())
    expect(message).not.toContain(token)
    return { status, challenge: told.get('www-authenticate'), message }
  }
}

describe('an access token', () => {
  test.each([
    { metadata: 'oauth' },
    { metadata: 'openid' },
    { pathname: '/realms/x' },
    { pathname: '/realms/x', metadata: 'openid' },
  ] as const)('of the issuer names its subject (%o)', async (options) => {
    const world = await useIssuer(options)
    expect(await verifierOf(world)(await world.sign())).toBe(`oauth:${world.issuer.url}#ann`)
  })

  test('may spell its scope and audience in the ways that issuers do', async () => {
    const world = await useIssuer()
    const verify = verifierOf(world)
    for (const claims of [{ scope: 'nightkiln' }, { scope: undefined, scp: ['nightkiln'] }, { aud: ['x', audience] }]) {
      expect(await verify(await world.sign(claims))).toBe(`oauth:${world.issuer.url}#ann`)
    }
  })

  test.each<[string, (world: Issuer) => Promise<string>]>([
    ['that has expired', ({ sign }) => sign({ exp: now / 1_000 - 6 })],
    ['that never expires', ({ sign }) => sign({ exp: undefined })],
    ['that is not valid yet', ({ sign }) => sign({ nbf: now / 1_000 + 6 })],
    ['for somebody else', ({ sign }) => sign({ aud: 'https://other.example.org/mcp' })],
    ['for a longer address', ({ sign }) => sign({ aud: `${audience}x` })],
    ['for nobody', ({ sign }) => sign({ aud: undefined })],
    ['of another issuer', ({ sign }) => sign({ iss: 'https://other.example.org' })],
    ['of nobody', ({ sign }) => sign({ iss: undefined })],
    ['without a subject', ({ sign }) => sign({ sub: undefined })],
    ['with an endless subject', ({ sign }) => sign({ sub: 'x'.repeat(256) })],
    ['signed by an unknown key', ({ sign }) => sign({}, second)],
    ['signed by another key under a known name', ({ sign }) => sign({}, { ...second, kid: 'first' })],
    [
      'that is not signed (alg none)',
      async ({ issuer }) =>
        new UnsecuredJWT({ scope: 'nightkiln' })
          .setIssuer(issuer.url)
          .setAudience(audience)
          .setSubject('ann')
          .setExpirationTime(now / 1_000 + 60)
          .encode(),
    ],
    [
      'signed with the public key as a secret (HS256)',
      async ({ issuer }) =>
        new SignJWT({ scope: 'nightkiln', sub: 'ann', iss: issuer.url, aud: audience, exp: now / 1_000 + 60 })
          .setProtectedHeader({ alg: 'HS256', kid: 'first' })
          .sign(new TextEncoder().encode(await exportSPKI(first.publicKey))),
    ],
    [
      'whose claims were changed',
      async ({ sign }) => {
        const [header, , signature] = (await sign()).split('.')
        const claims = base64url.encode(JSON.stringify({ sub: 'ben', aud: audience, exp: now, scope: 'nightkiln' }))
        return `${header}.${claims}.${signature}`
      },
    ],
    ['that is none', async () => 'aaaa.bbbb.cccc'],
  ])('%s is refused', async (_what, make) => {
    const world = await useIssuer()
    const verdict = await verifierOf(world)(await make(world))
    expect(verdict).toMatchObject({
      status: 401,
      challenge: expect.stringMatching(/^Bearer realm="nightkiln", error="invalid_token"/),
    })
    expect(verdict).toMatchObject({ challenge: expect.stringContaining(`resource_metadata="${metadataUrl}"`) })
  })

  test.each([undefined, '', 'openid', 'nightkiln2'])('with the scope %s is not allowed', async (scope) => {
    const world = await useIssuer()
    expect(await verifierOf(world)(await world.sign({ scope }))).toMatchObject({
      status: 403,
      challenge: expect.stringMatching(/error="insufficient_scope".* scope="nightkiln"/),
    })
  })

  test('no longer counts once it has expired', async () => {
    const world = await useIssuer()
    let clock = now
    const tokens = createAccessTokens({ issuer: world.issuer.url, audience }, metadataUrl, { now: () => clock })
    const verdict = await tokens.verify(await world.sign())
    const holds = () => 'identity' in verdict && verdict.identity.holds()
    expect(holds()).toBe(true)
    clock += 66_000
    expect(holds()).toBe(false)
  })
})

describe('the issuer', () => {
  test('may change its keys while the server runs', async () => {
    const world = await useIssuer()
    const verify = verifierOf(world)
    expect(await verify(await world.sign())).toContain('#ann')
    expect(await verify(await world.sign({}, second))).toMatchObject({ status: 401 })
    world.issuer.keys = [second]
    expect(await verify(await world.sign({}, second))).toContain('#ann')
    expect(await verify(await world.sign())).toMatchObject({ status: 401 })
  })

  test('that is away makes nobody wrong: the client is told to come back, and it works then', async () => {
    const world = await useIssuer()
    world.issuer.isBroken = true
    let clock = 0
    const problems: string[] = []
    const tokens = createAccessTokens({ issuer: world.issuer.url, audience }, metadataUrl, {
      now: () => now,
      clock: () => clock,
      report: (problem) => problems.push(problem),
    })
    const token = await world.sign()
    for (const _ of [1, 2]) {
      const verdict = await tokens.verify(token)
      expect('refused' in verdict && [verdict.refused.status, verdict.refused.headers.get('retry-after')]).toEqual([
        503,
        '5',
      ])
    }
    expect(problems).toEqual([expect.stringContaining('status 404')])
    world.issuer.isBroken = false
    clock += 2_000
    expect(await tokens.verify(token)).toMatchObject({ identity: { principal: `oauth:${world.issuer.url}#ann` } })

    await new Promise((resolve) => world.server.close(resolve))
    const other = createAccessTokens({ issuer: world.issuer.url, audience }, metadataUrl, { now: () => now })
    expect(await other.verify(token)).toMatchObject({ refused: { status: 503 } })
  })

  test('whose metadata name another one is not believed', async () => {
    const world = await useIssuer()
    world.issuer.named = 'https://other.example.org'
    expect(await verifierOf(world)(await world.sign())).toMatchObject({ status: 503 })
    expect(world.issuer.fetched).toBe(0)
  })

  test('is given by two options, as https', () => {
    expect(parseOAuth(undefined, undefined)).toBeNull()
    expect(parseOAuth('http://127.0.0.1:1', audience)).toEqual({ issuer: 'http://127.0.0.1:1', audience })
    expect(() => parseOAuth(audience, undefined)).toThrow('go together')
    for (const url of ['http://issuer.example.org', 'issuer', 'https://ann@issuer.example.org', 'ftp://localhost']) {
      expect(() => parseOAuth(url, audience), url).toThrow('not an https URL')
      expect(() => parseOAuth(audience, url), url).toThrow('not an https URL')
    }
  })
})

describe('what clients may ask before they have a token', () => {
  const resource = protectedResource({ issuer: 'https://issuer.example.org', audience })
  const headers = { host: '127.0.0.1' }
  const ask = (app: ReturnType<typeof useApp>['app'], path: string) =>
    app.fetch(new Request(`http://127.0.0.1${path}`, { headers }))

  test('is whose tokens count, at the path of RFC 9728', async () => {
    const { app } = useApp({ resource })
    expect(resource.url).toBe(metadataUrl)
    for (const path of ['/.well-known/oauth-protected-resource', '/.well-known/oauth-protected-resource/mcp']) {
      expect(await (await ask(app, path)).json()).toEqual({
        resource: audience,
        authorization_servers: ['https://issuer.example.org'],
        scopes_supported: ['nightkiln'],
        bearer_methods_supported: ['header'],
        resource_name: 'Nightkiln',
      })
    }
    expect((await ask(app, '/.well-known/oauth-protected-resource/other')).status).toBe(404)
  })

  test('is nothing without an issuer', async () => {
    const { app } = useApp()
    expect((await ask(app, '/.well-known/oauth-protected-resource')).status).toBe(404)
  })

  test('is named by the answer to a request without a token', async () => {
    const { app } = useApp({ resource, authenticator: createAuthenticator(noTokens, null, resource.url) })
    const { authorization: _, ...rest } = headersFor(initialize, headers)
    const body = JSON.stringify(initialize)
    const response = await app.fetch(new Request('http://127.0.0.1/mcp', { method: 'POST', headers: rest, body }))
    expect([response.status, response.headers.get('www-authenticate')]).toEqual([
      401,
      `Bearer realm="nightkiln", resource_metadata="${metadataUrl}", scope="nightkiln"`,
    ])
  })
})
