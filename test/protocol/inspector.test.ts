import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest'
import { statePaths } from '../../src/config/paths.ts'
import { distMain } from '../support/repository.ts'
import { makeTemporaryHome, useTemporaryHome } from '../support/temporary-home.ts'
import { inspector, inspectorExit, runInspector } from './support/inspector.ts'

const server = [process.execPath, distMain, 'mcp']
const eras = ['legacy', 'auto', 'modern'] as const

let missing: string | null = null
beforeAll(() => {
  missing = inspector.ensure()
}, 180_000)

function needsInspector(context: TestContext): void {
  context.skip(missing !== null, missing ?? undefined)
}

/** One state directory and so one manager for all: each run of the Inspector is a client of its own. */
const shared = makeTemporaryHome()
afterAll(() => shared.remove())

interface CallResult {
  readonly isError?: boolean
  readonly content: readonly { readonly text: string }[]
  readonly structuredContent?: Readonly<Record<string, unknown>>
}

async function call(era: string, tool: string, given: Readonly<Record<string, unknown>>) {
  const run = await runInspector(
    server,
    [
      ...['--method', 'tools/call', '--tool-name', tool, '--tool-args-json', JSON.stringify(given)],
      ...['--protocol-era', era, '--format', 'json'],
    ],
    shared.environment,
  )
  const { result } = JSON.parse(run.stdout) as { readonly result: CallResult }
  return { code: run.code, stderr: run.stderr, result }
}

/** @returns of each task about this job whether it went to its end; nothing that the Inspector prints tells a task from an answer. */
function tasksOf(jobId: unknown): readonly boolean[] {
  const database = new Database(statePaths(shared.home).database, { readonly: true })
  try {
    const rows = database.prepare('SELECT ids, outcome FROM task').all() as { ids: string; outcome: string | null }[]
    return rows.filter(({ ids }) => ids.includes(String(jobId))).map(({ outcome }) => outcome !== null)
  } finally {
    database.close()
  }
}

async function list(era: string, method: string, ...more: readonly string[]): Promise<string> {
  const args = ['--method', method, '--protocol-era', era, '--format', 'json', ...more]
  const run = await runInspector(server, args, shared.environment)
  expect(run.code, run.stderr).toBe(inspectorExit.fine)
  return run.stdout
}

describe.each(eras)('in the era %s', (era) => {
  test('tools/list --strict finds no error', async (context) => {
    needsInspector(context)
    const run = await runInspector(
      server,
      ['--method', 'tools/list', '--strict', '--protocol-era', era],
      shared.environment,
    )
    expect(run.code, run.stderr).toBe(inspectorExit.fine)
    expect(run.stderr).not.toContain('Error: tool')
    const { tools } = JSON.parse(run.stdout) as { readonly tools: readonly { readonly name: string }[] }
    expect(tools).toHaveLength(23)
  })

  test('submit_job with wait ends with what the job became, by a task where there are tasks', async (context) => {
    needsInspector(context)
    const name = `Inspector ${era}`
    const { code, stderr, result } = await call(era, 'submit_job', {
      params: { argv: ['sleep', '0.5'], cwd: shared.home },
      name,
      wait: true,
    })
    expect(code, stderr).toBe(inspectorExit.fine)
    expect(result.structuredContent).toMatchObject({ job: { name, state: 'completed' } })
    expect(tasksOf(result.structuredContent?.['id'])).toEqual(era === 'legacy' ? [] : [true])

    const found = await call(era, 'list_jobs', { text: `"${name}"` })
    expect(found.result.structuredContent).toMatchObject({ jobs: [{ name }] })
  })
})

test('a wrong call says how the right one looks', async (context) => {
  needsInspector(context)
  const { code, result } = await call('auto', 'job_status', { id: 'the film job' })
  expect(code).toBe(inspectorExit.toolError)
  expect(result.isError).toBe(true)
  expect(result.content[0]?.text).toMatch(/"the film job", which is not a job id .* call job_status again/)
})

test('--app-info finds the board at list_jobs', async (context) => {
  needsInspector(context)
  const lines = (await list('modern', 'tools/list', '--app-info')).trim().split('\n')
  const tools = lines.map((line) => JSON.parse(line) as { toolName: string; hasApp: boolean; resourceUri?: string })
  expect(tools.find(({ toolName }) => toolName === 'list_jobs')).toMatchObject({
    hasApp: true,
    resourceUri: 'ui://nightkiln/board',
  })
})

test('resources and prompts are listed', async (context) => {
  needsInspector(context)
  const resources = await list('legacy', 'resources/list')
  expect(resources).toContain('queue://status')
  const prompts = await list('modern', 'prompts/list')
  for (const name of ['resume_my_work', 'triage_failures', 'plan_batch']) expect(prompts).toContain(`"${name}"`)
})

/** Lists one tool with a schema that several clients refuse: a bare true instead of a schema object. */
const badServer = `
process.stdin.setEncoding('utf8').on('data', (text) => {
  for (const line of text.split('\\n').filter(Boolean)) {
    const { id, method, params } = JSON.parse(line)
    const result =
      method === 'initialize'
        ? { protocolVersion: params.protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'bad', version: '1' } }
        : { tools: [{ name: 'bad', inputSchema: { type: 'object', properties: { a: true } } }] }
    if (id !== undefined) process.stdout.write(JSON.stringify({ jsonrpc: '2.0', id, result }) + '\\n')
  }
}).on('end', () => process.exit())
`

test('the same check refuses a server with a bad schema', async (context) => {
  needsInspector(context)
  const { home, environment } = useTemporaryHome()
  const file = join(home, 'bad-server.mjs')
  writeFileSync(file, badServer)
  const run = await runInspector(
    [process.execPath, file],
    ['--method', 'tools/list', '--strict', '--protocol-era', 'legacy'],
    environment,
  )
  expect(run.code, run.stderr).toBe(inspectorExit.badSchema)
})
