import { ensureHttpTokens } from '../../platform/http-tokens.ts'
import { createFrontEnd } from '../container.ts'
import { createAccessTokens } from './access-tokens.ts'
import { createAuthenticator } from './authenticator.ts'
import { mcpPath } from './guard.ts'
import { createHttpApp } from './http-app.ts'
import { listenHttp } from './http-listener.ts'
import { defaultListen, parseListen, parsePublicNames } from './listen-address.ts'
import { protectedResource } from './oauth-metadata.ts'
import { parseOAuth } from './oauth-settings.ts'
import { createTokenTable } from './token-table.ts'

const sweepMs = 5_000
/** How long calls in flight get to be answered when the server ends, ms. */
const graceMs = 300

export interface HttpServerOptions {
  /** HOST:PORT; the usual address when left out. */
  readonly listen: string | undefined
  readonly publicNames: readonly string[]
  readonly oauthIssuer?: string | undefined
  readonly oauthAudience?: string | undefined
  readonly tokenFile: string
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Ends the server. */
  readonly signal: AbortSignal
  readonly onListening: (where: { readonly url: string; readonly port: number }) => void
  readonly warn: (line: string) => void
}

/**
 * Serves MCP over HTTP until the signal aborts. The manager is looked for or started at the first call, not before; jobs go on
 * when this ends.
 * @throws QueueError invalid_input, config_invalid
 */
export async function runHttpServer(options: HttpServerOptions): Promise<void> {
  const { tokenFile, signal, warn } = options
  const publicNames = parsePublicNames(options.publicNames)
  const address = parseListen(options.listen ?? defaultListen, publicNames)
  const oauth = parseOAuth(options.oauthIssuer, options.oauthAudience)
  ensureHttpTokens(tokenFile, options.now())

  const report = (problem: unknown) => warn(problem instanceof Error ? problem.message : String(problem))
  const resource = oauth === null ? null : protectedResource(oauth)
  const accessTokens = oauth === null || resource === null ? null : createAccessTokens(oauth, resource.url, { report })
  const frontEnd = createFrontEnd({ isRemote: true })
  const app = createHttpApp({
    publicNames,
    resource,
    authenticator: createAuthenticator(createTokenTable(tokenFile, report), accessTokens, resource?.url ?? null),
    parts: frontEnd.parts,
    createServer: frontEnd.createServer,
    clock: () => performance.now(),
    report,
  })
  const listener = await listenHttp(app, address)
  const sweeper = setInterval(app.sweep, sweepMs)
  process.on('uncaughtException', report)
  process.on('unhandledRejection', report)
  try {
    options.onListening({ url: `${listener.origin}${mcpPath}`, port: listener.port })
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
  } finally {
    clearInterval(sweeper)
    frontEnd.abort()
    await app.close()
    await listener.close(graceMs)
    process.off('uncaughtException', report)
    process.off('unhandledRejection', report)
  }
}
