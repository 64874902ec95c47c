import type { Command } from 'commander'
import { QueueError } from '../../domain/errors.ts'
import { type CommandRunner, jsonCommand } from '../command-runner.ts'
import type { Session } from '../session.ts'

interface HttpOptions {
  readonly http?: true | string
  readonly publicName?: readonly string[]
  readonly oauthIssuer?: string
  readonly oauthAudience?: string
}

const onlyWithHttp = { publicName: '--public-name', oauthIssuer: '--oauth-issuer', oauthAudience: '--oauth-audience' }

/** For HTTP, for help and for `mcp` with options; the plain call never gets here (main.ts). */
export function mcpCommand(runner: CommandRunner): Command {
  return jsonCommand('mcp', 'Speak MCP on standard input and output, started by MCP clients; or over HTTP')
    .option('--http [host:port]', 'serve Streamable HTTP instead (default: 127.0.0.1:8765, this machine alone)')
    .option('--public-name <name...>', 'names by which a reverse proxy with TLS in front is reached')
    .option('--oauth-issuer <url>', 'also take access tokens (JWT) of this issuer')
    .option('--oauth-audience <url>', 'what these must be for: the URL of this server as clients reach it')
    .addHelpText(
      'after',
      `
Clients show a token over HTTP: nightkiln token. With --json one line tells where it listens.

Examples:
  nightkiln mcp --http
  nightkiln mcp --http 127.0.0.1:8765 --public-name jobs.example.org
`,
    )
    .action(runner.act(serve))
}

async function serve(session: Session, options: HttpOptions): Promise<number> {
  if (options.http !== undefined) return serveHttp(session, options, options.http)
  for (const [name, option] of Object.entries(onlyWithHttp)) {
    if (options[name as keyof typeof onlyWithHttp] === undefined) continue
    throw new QueueError('invalid_input', `${option} has a meaning with --http only`, {
      remedy: `Add --http, or leave ${option} out.`,
    })
  }
  const { runMcpServer } = await import('../../server/main.ts')
  await runMcpServer()
  return 0
}

async function serveHttp(session: Session, options: HttpOptions, listen: true | string): Promise<number> {
  const { terminal } = session
  const { runHttpServer } = await import('../../server/http/main.ts')
  const stop = new AbortController()
  const end = () => stop.abort()
  process.once('SIGTERM', end)
  session.interrupted.addEventListener('abort', end, { once: true })
  if (session.interrupted.aborted) end()
  try {
    await runHttpServer({
      listen: listen === true ? undefined : listen,
      publicNames: options.publicName ?? [],
      oauthIssuer: options.oauthIssuer,
      oauthAudience: options.oauthAudience,
      tokenFile: session.paths().httpTokens,
      now: session.now,
      signal: stop.signal,
      onListening({ url, port }) {
        if (session.json) terminal.line(JSON.stringify({ url, port, pid: process.pid }))
        terminal.note(`MCP is served at ${url}. nightkiln token shows the token that clients need; Ctrl-C ends it.`)
      },
      warn: (line) => terminal.problem(terminal.harmless(line)),
    })
  } finally {
    process.off('SIGTERM', end)
    session.interrupted.removeEventListener('abort', end)
  }
  return 0
}
