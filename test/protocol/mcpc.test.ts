import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { isAlive } from '../support/proc.ts'
import { distMain } from '../support/repository.ts'
import { useTemporaryHome } from '../support/temporary-home.ts'
import { waitUntil } from '../support/wait-until.ts'
import { installedTool } from './support/installed-tool.ts'
import { runProgram } from './support/run-program.ts'

/** A client of the older SDK that keeps one connection open between its commands. */
const mcpc = installedTool('mcpc', join('@apify', 'mcpc', 'bin', 'mcpc'))

let missing: string | null = null
beforeAll(() => {
  missing = mcpc.ensure()
}, 180_000)

interface CallResult {
  readonly structuredContent: { readonly id: string; readonly job: { readonly state: string } }
}

interface Sessions {
  readonly sessions: Readonly<Record<string, { readonly pid: number }>>
}

test('mcpc keeps a connection over its commands, and waits for a job through it', async (context) => {
  context.skip(missing !== null, missing ?? undefined)
  const { home, environment, ledger } = useTemporaryHome()
  const config = join(home, 'mcp.json')
  const jobs = { command: process.execPath, args: [distMain, 'mcp'], env: { NIGHTKILN_HOME: home } }
  writeFileSync(config, JSON.stringify({ mcpServers: { jobs } }))
  const run = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await runProgram([mcpc.program, ...args], { ...environment, HOME: home })
    expect(code, `${stdout}${stderr}`).toBe(0)
    return stdout
  }
  const ask = async <Answer>(...args: readonly string[]) => JSON.parse(await run('--json', ...args)) as Answer

  expect(await run('connect', `${config}:jobs`, '@j')).toContain('nightkiln')
  const sessions = JSON.parse(readFileSync(join(home, '.mcpc', 'sessions.json'), 'utf8')) as Sessions
  const daemon = sessions.sessions['@j']?.pid
  if (daemon === undefined) throw new Error('mcpc did not say which process keeps the connection')
  ledger.add(daemon)

  const tools = await ask<readonly { readonly name: string }[]>('@j', 'tools-list')
  expect(tools.map(({ name }) => name)).toContain('wait_for_jobs')

  const params = JSON.stringify({ argv: ['sleep', '0.5'], cwd: home })
  const submitted = await ask<CallResult>('@j', 'tools-call', 'submit_job', `params:=${params}`)
  const { id } = submitted.structuredContent
  const waited = await ask<{ readonly structuredContent: object }>(
    ...['@j', 'tools-call', 'wait_for_jobs', `ids:=["${id}"]`],
  )
  expect(waited.structuredContent).toMatchObject({ jobs: [{ id, state: 'completed' }] })

  expect(await run('--json', '@j', 'resources-list')).toContain('queue://status')
  expect(await run('--json', '@j', 'resources-read', `job://${id}`)).toContain(id)

  await run('close', '@j')
  await waitUntil(() => !isAlive(daemon), { what: `the process ${daemon} that kept the connection to be gone` })
})
