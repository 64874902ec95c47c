import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type CryptoKey, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { onTestFinished } from 'vitest'

/** What tokens of the tests are for, and when they are looked at. */
export const audience = 'https://jobs.example.org/mcp'
export const now: number = Date.UTC(2030, 0, 1)

/** Undefined leaves a claim out. */
type Claims = { readonly [Name in keyof JWTPayload]: JWTPayload[Name] | undefined }

export interface KeyPair {
  readonly kid: string
  readonly privateKey: CryptoKey
  readonly publicKey: CryptoKey
}

async function newKeys(kid: string): Promise<KeyPair> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  return { kid, privateKey, publicKey }
}

/** Keys that the issuer publishes, and keys that it does not. */
export const first: KeyPair = await newKeys('first')
export const second: KeyPair = await newKeys('second')

/** A real issuer on this machine: metadata and keys over HTTP. */
export async function useIssuer(options: { readonly pathname?: string; readonly metadata?: 'oauth' | 'openid' } = {}) {
  const { pathname = '', metadata = 'oauth' } = options
  const page = {
    oauth: `/.well-known/oauth-authorization-server${pathname}`,
    openid: `${pathname}/.well-known/openid-configuration`,
  }[metadata]
  const issuer = { url: '', keys: [first] as readonly KeyPair[], named: '', fetched: 0, isBroken: false }
  const answer = async ({ url }: IncomingMessage): Promise<unknown> => {
    if (issuer.isBroken) return undefined
    if (url === page) return { issuer: issuer.named, jwks_uri: `${issuer.url}/keys` }
    if (url !== `${pathname}/keys`) return undefined
    issuer.fetched += 1
    const keys = issuer.keys.map(async ({ kid, publicKey }) => ({ ...(await exportJWK(publicKey)), kid, alg: 'ES256' }))
    return { keys: await Promise.all(keys) }
  }
  const server = createServer((incoming, outgoing) => {
    void answer(incoming).then((value) => {
      outgoing.writeHead(value === undefined ? 404 : 200, { 'content-type': 'application/json', connection: 'close' })
      outgoing.end(JSON.stringify(value ?? {}))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  issuer.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${pathname}`
  issuer.named = issuer.url
  const sign = (claims: Claims = {}, keys: KeyPair = first) =>
    new SignJWT({
      scope: 'openid nightkiln',
      sub: 'ann',
      iss: issuer.url,
      aud: audience,
      exp: now / 1_000 + 60,
      ...claims,
    } as JWTPayload)
      .setProtectedHeader({ alg: 'ES256', kid: keys.kid })
      .sign(keys.privateKey)
  return { issuer, server, sign }
}
