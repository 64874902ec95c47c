import { type ChildProcess, spawn } from 'node:child_process'
import { statePaths } from '../../../src/config/paths.ts'
import { readHttpTokens } from '../../../src/platform/http-tokens.ts'
import { distMain } from '../../support/repository.ts'
import type { TemporaryHome } from '../../support/temporary-home.ts'
import { waitUntil } from '../../support/wait-until.ts'

export interface HttpServerProcess {
  readonly child: ChildProcess
  readonly url: string
  /** The token made at the start. */
  readonly token: string
  stderr(): string
  /** @returns its exit, and how long it took from the signal, ms */
  end(signal: NodeJS.Signals): Promise<{ readonly code: number | null; readonly ms: number }>
}

/** Starts `nightkiln mcp --http` on a free port of this machine and waits until it says where it listens. */
export async function startHttpServer(home: TemporaryHome, ...given: readonly string[]): Promise<HttpServerProcess> {
  const child = spawn(process.execPath, [distMain, 'mcp', '--http', '127.0.0.1:0', '--json', ...given], {
    env: { ...home.environment },
    cwd: home.home,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  home.ledger.add(child.pid)
  const written = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      written[name] += text
    })
  }
  const exit = new Promise<{ code: number | null; at: number }>((resolve) => {
    child.once('exit', (code) => resolve({ code, at: performance.now() }))
  })
  const { url } = await waitUntil(
    () => {
      if (child.exitCode !== null) throw new Error(`it ended: ${written.stderr}`)
      return JSON.parse(written.stdout) as { url: string }
    },
    { what: 'the line that says where it listens' },
  )
  const [first] = readHttpTokens(statePaths(home.home).httpTokens)
  return {
    child,
    url,
    token: first?.token ?? '',
    stderr: () => written.stderr,
    async end(signal) {
      const started = performance.now()
      child.kill(signal)
      const { code, at } = await exit
      return { code, ms: at - started }
    },
  }
}
