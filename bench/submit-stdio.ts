import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { distMain, withBenchHome } from './bench-home.ts'
import { type Figure, median, percentile } from './figures.ts'

/** Milliseconds of one 4 KiB append + fdatasync each: what durability costs on this disk. */
function timeAppends(directory: string, rounds: number): readonly number[] {
  const file = openSync(join(directory, 'append.bin'), 'a')
  const page = Buffer.alloc(4096, 1)
  const times: number[] = []
  for (let round = 0; round < rounds; round += 1) {
    const started = performance.now()
    writeSync(file, page)
    fdatasyncSync(file)
    times.push(performance.now() - started)
  }
  closeSync(file)
  return times
}

/** `submit_job` over stdio, one after another, each durable before it is answered. */
export function measureSubmitOverStdio(rounds: number): Promise<readonly Figure[]> {
  return withBenchHome(async (bench) => {
    await bench.client.connect()
    const appends = [...timeAppends(bench.home, rounds)]
    const times = await timeSubmits(bench.environment, rounds)
    appends.push(...timeAppends(bench.home, rounds))
    const reference = { name: '4 KiB append + fdatasync, p50', value: median(appends) }
    return [
      { name: reference.name, value: reference.value, unit: 'ms', goal: null },
      {
        name: 'submit_job over stdio, p50',
        value: median(times),
        unit: 'ms',
        goal: { at: 'most', value: 3 },
        ratioTo: reference,
      },
      { name: 'submit_job over stdio, p99', value: percentile(times, 0.99), unit: 'ms', goal: null },
    ]
  })
}

/** Milliseconds of each call, seen from the client; the first twenty are not counted. */
async function timeSubmits(environment: Readonly<Record<string, string>>, rounds: number): Promise<readonly number[]> {
  const client = new Client({ name: 'bench', version: '1' })
  await client.connect(
    new StdioClientTransport({
      command: process.execPath,
      args: [distMain, 'mcp'],
      env: { ...environment },
      stderr: 'ignore',
    }),
  )
  const times: number[] = []
  for (let round = -20; round < rounds; round += 1) {
    const started = performance.now()
    const answer = await client.callTool({
      name: 'submit_job',
      arguments: { params: { argv: ['true'], cwd: tmpdir() }, run_at: '2099-01-01T00:00:00Z' },
    })
    const took = performance.now() - started
    if (answer.isError === true) throw new Error(JSON.stringify(answer.content))
    if (round >= 0) times.push(took)
  }
  await client.close()
  return times
}
