import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { commandSubmit, distMain, neverDue, repositoryRoot, withBenchHome } from './bench-home.ts'
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

/** What one call over stdio takes: a question, a durable submit, and an echo by a minimal server of the same SDK. */
export function measureCallsOverStdio(rounds: number): Promise<readonly Figure[]> {
  return withBenchHome(async (bench) => {
    await bench.client.connect()
    const server = [distMain, 'mcp']
    const appends = [...timeAppends(bench.home, rounds)]
    const submits = await timeCalls(server, bench.environment, rounds, submit)
    appends.push(...timeAppends(bench.home, rounds))
    const { id } = await bench.client.call('submit_job', commandSubmit('asked', ['true']))
    const echoes = await timeCalls(minimalServer, bench.environment, rounds, { name: 'echo', arguments: { text: 'x' } })
    const questions = await timeCalls(server, bench.environment, rounds, {
      name: 'job_status',
      arguments: { ids: [id] },
    })
    const disk = { name: '4 KiB append + fdatasync, p50', value: median(appends) }
    const echo = { name: 'echo of a minimal server of the same SDK, p50', value: median(echoes) }
    const atMost = (value: number) => ({ at: 'most', value }) as const
    return [
      { name: disk.name, value: disk.value, unit: 'ms', goal: null },
      { name: echo.name, value: echo.value, unit: 'ms', goal: null },
      { name: 'job_status over stdio, p50', value: median(questions), unit: 'ms', goal: atMost(2), ratioTo: echo },
      { name: 'job_status over stdio, p99', value: percentile(questions, 0.99), unit: 'ms', goal: null },
      { name: 'submit_job over stdio, p50', value: median(submits), unit: 'ms', goal: atMost(3), ratioTo: disk },
      { name: 'submit_job over stdio, p99', value: percentile(submits, 0.99), unit: 'ms', goal: null },
    ]
  })
}

const minimalServer = [join(repositoryRoot, 'bench', 'minimal-server.mjs')]

interface Call {
  readonly name: string
  readonly arguments: Record<string, unknown>
}

/** Far in the future, so that only the durable accept is measured. */
const submit: Call = {
  name: 'submit_job',
  arguments: { params: { argv: ['true'], cwd: tmpdir() }, run_at: neverDue },
}

/** Milliseconds of each call, one after another, seen from the client; the first twenty are not counted. */
async function timeCalls(
  server: readonly string[],
  environment: Readonly<Record<string, string>>,
  rounds: number,
  call: Call,
): Promise<readonly number[]> {
  const client = new Client({ name: 'bench', version: '1' })
  await client.connect(
    new StdioClientTransport({
      command: process.execPath,
      args: [...server],
      env: { ...environment },
      stderr: 'ignore',
    }),
  )
  const times: number[] = []
  for (let round = -20; round < rounds; round += 1) {
    const started = performance.now()
    const answer = await client.callTool(call)
    const took = performance.now() - started
    if (answer.isError === true) throw new Error(JSON.stringify(answer.content))
    if (round >= 0) times.push(took)
  }
  await client.close()
  return times
}
