import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { distMain, repositoryRoot, withBenchHome } from './bench-home.ts'
import { type Figure, median } from './figures.ts'

const initialize = `${JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'bench', version: '1' } },
})}\n`

/** Milliseconds from spawn to the first line of the answer to `initialize`. */
function timeToInitialize(args: readonly string[], environment: Readonly<Record<string, string>>): Promise<number> {
  return new Promise((resolve, reject) => {
    const started = performance.now()
    const child = spawn(process.execPath, args, { env: environment, stdio: ['pipe', 'pipe', 'ignore'] })
    let answer = ''
    let took = 0
    child.stdout.on('data', (chunk: Buffer) => {
      answer += chunk.toString('utf8')
      if (took !== 0 || !answer.includes('\n')) return
      took = performance.now() - started
      child.stdin.end()
    })
    child.on('error', reject)
    child.on('close', () => {
      if (took > 0 && answer.includes('"serverInfo"')) resolve(took)
      else reject(new Error(`no answer to initialize from ${args.join(' ')}`))
    })
    child.stdin.write(initialize)
  })
}

/**
 * Spawn to `initialize` reply of the front end in one file, and as a tree of modules, against a minimal server of the same SDK that
 * is not bundled; they take turns.
 */
export function measureStartup(rounds: number): Promise<readonly Figure[]> {
  const minimalServer = [join(repositoryRoot, 'bench', 'minimal-server.mjs')]
  const bundled = [distMain, 'mcp']
  const modules = [join(repositoryRoot, 'dist', 'server', 'main.js')]
  const servers = [minimalServer, bundled, modules]
  const times = new Map(servers.map((server) => [server, [] as number[]]))
  return withBenchHome(async (bench) => {
    for (const server of servers) await timeToInitialize(server, bench.environment)
    for (let round = 0; round < rounds; round += 1) {
      for (const [server, taken] of times) taken.push(await timeToInitialize(server, bench.environment))
    }
    const middle = (server: string[]) => median(times.get(server) ?? [])
    const reference = { name: 'minimal server of the same SDK', value: middle(minimalServer) }
    return [
      { name: 'spawn to initialize reply, p50', value: middle(bundled), unit: 'ms', goal: null, ratioTo: reference },
      {
        name: 'spawn to initialize reply, ratio',
        value: middle(bundled) / reference.value,
        unit: 'x',
        goal: { at: 'most', value: 1 },
      },
      {
        name: 'spawn to initialize reply without the bundle, p50',
        value: middle(modules),
        unit: 'ms',
        goal: null,
        ratioTo: reference,
      },
    ]
  })
}
