import { spawn } from 'node:child_process'
import { statePaths } from '../../src/config/paths.ts'
import { ensureHttpTokens } from '../../src/platform/http-tokens.ts'
import { readStat } from '../support/proc.ts'
import { distMain } from '../support/repository.ts'
import type { TemporaryHome } from '../support/temporary-home.ts'
import { waitUntil } from '../support/wait-until.ts'

const pageBytes = 4_096

/** `nightkiln mcp --http` as a process. */
export interface HttpServerProcess {
  readonly pid: number
  readonly port: number
  readonly token: string
  isAlive(): boolean
  residentBytes(): number
  stderrBytes(): number
  stderr(): string
  close(): Promise<void>
}

export async function startHttpServer(home: TemporaryHome): Promise<HttpServerProcess> {
  const { token } = ensureHttpTokens(statePaths(home.home).httpTokens, Date.now())[0] ?? { token: '' }
  const child = spawn(process.execPath, [distMain, 'mcp', '--http', '127.0.0.1:0', '--json'], {
    env: { ...home.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  home.ledger.add(child.pid)
  const pid = child.pid ?? 0
  let alive = true
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => {
      alive = false
      resolve()
    })
  })
  let stdout = ''
  let stderr = ''
  let stderrBytes = 0
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderrBytes += Buffer.byteLength(text)
    if (stderr.length < 4_000) stderr += text.slice(0, 4_000)
  })
  const { port } = await waitUntil(
    () => {
      if (!alive) throw new Error(`the server ended: ${stderr}`)
      return stdout.includes('\n') && (JSON.parse(stdout.split('\n')[0] ?? '') as { port: number })
    },
    { what: 'the port of the HTTP server' },
  )
  return {
    pid,
    port,
    token,
    isAlive: () => alive,
    residentBytes: () => (readStat(pid)?.residentPages ?? 0) * pageBytes,
    stderrBytes: () => stderrBytes,
    stderr: () => stderr,
    async close() {
      if (alive) process.kill(pid, 'SIGTERM')
      await exited
    },
  }
}
