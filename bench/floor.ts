import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { repositoryRoot, runScript } from './bench-home.ts'

function ready(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.stdout?.once('data', () => resolve())
    child.once('exit', (code) => reject(new Error(`the floor ended with ${code}`)))
  })
}

/** Durable inserts per second of bare hono + undici + group commit on a unix socket: client and server apart. */
export async function measureFloor(seconds: number, inFlight: number): Promise<number> {
  const directory = mkdtempSync(join(process.env['NIGHTKILN_BENCH_DIRECTORY'] ?? tmpdir(), 'nk-floor-'))
  const socket = join(directory, 'floor.sock')
  const script = join(repositoryRoot, 'bench', 'floor-server.ts')
  const server = spawn(process.execPath, ['--import', 'tsx', script, socket, join(directory, 'floor.db')], {
    cwd: repositoryRoot,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    await ready(server)
    const environment = process.env as Record<string, string>
    const answer = (await runScript('floor-load.ts', [socket, String(seconds), String(inFlight)], environment)) as {
      perSecond: number
    }
    return answer.perSecond
  } finally {
    server.removeAllListeners('exit')
    server.kill('SIGKILL')
    rmSync(directory, { recursive: true, force: true })
  }
}
