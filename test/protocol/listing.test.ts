import { readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { useTemporaryHome } from '../support/temporary-home.ts'
import { type FrontEnd, startFrontEnd } from './support/front-end.ts'

interface ListedTool {
  readonly name: string
  readonly title: string
  readonly description: string
  readonly inputSchema: Record<string, unknown>
  readonly outputSchema: Record<string, unknown>
  readonly annotations: Record<string, unknown>
  readonly _meta?: Record<string, unknown>
}

const toolNames = [
  'submit_job',
  'job_status',
  'wait_for_jobs',
  'whats_new',
  'list_jobs',
  'list_units',
  'job_logs',
  'job_result',
  'decide_job',
  'cancel_job',
  'pause_job',
  'resume_job',
  'rerun_job',
  'update_job',
  'add_units',
  'send_input',
  'schedule_job',
  'list_schedules',
  'remove_schedule',
  'list_job_types',
  'queue_status',
  'export_jobs',
  'delete_jobs',
]

const modernMeta = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
  'io.modelcontextprotocol/clientInfo': { name: 'raw-client', version: '1.0.0' },
}

async function listTools(frontEnd: FrontEnd, params?: Record<string, unknown>): Promise<readonly ListedTool[]> {
  const answer = await frontEnd.request('tools/list', params)
  return (answer.result?.['tools'] ?? []) as readonly ListedTool[]
}

async function listedTools(): Promise<readonly ListedTool[]> {
  const frontEnd = startFrontEnd(useTemporaryHome())
  await frontEnd.initialize()
  return listTools(frontEnd)
}

/** Every schema inside a schema, itself included; values of `properties` are schemas, `properties` itself is not. */
function schemasIn(schema: unknown): readonly Record<string, unknown>[] {
  if (Array.isArray(schema)) return schema.flatMap(schemasIn)
  if (typeof schema !== 'object' || schema === null) return []
  const { properties, ...others } = schema as Record<string, unknown>
  const inner = [...Object.values(others), ...Object.values((properties ?? {}) as Record<string, unknown>)]
  return [schema as Record<string, unknown>, ...inner.flatMap(schemasIn)]
}

test('a client that only lists tools starts no manager and writes nothing', async () => {
  const home = useTemporaryHome()
  const frontEnd = startFrontEnd(home)
  await frontEnd.initialize()
  expect(await listTools(frontEnd)).not.toHaveLength(0)
  frontEnd.child.stdin.end()
  await frontEnd.exit
  expect(readdirSync(home.home)).toEqual([])
  await home.ledger.assertNothingLeft()
})

test('initialize tells name, version and how to work with the queue', async () => {
  const { result } = await startFrontEnd(useTemporaryHome()).initialize()
  expect(result?.['serverInfo']).toMatchObject({ name: 'nightkiln', version: expect.stringMatching(/^\d+\.\d+\.\d+/) })
  expect(result?.['capabilities']).toMatchObject({ tools: { listChanged: true } })
  const instructions = String(result?.['instructions'])
  expect(instructions.length).toBeLessThanOrEqual(4_000)
  for (const name of ['submit_job', 'wait_for_jobs', 'whats_new', 'task', 'resume_my_work', 'job://{id}']) {
    expect(instructions).toContain(name)
  }
})

test('both protocol eras list the same tools', async () => {
  const legacy = await listedTools()
  const modern = await listTools(startFrontEnd(useTemporaryHome()), { _meta: modernMeta })
  expect(modern).toEqual(legacy)
})

test('server/discover is answered and a legacy client may still follow in the same process', async () => {
  const frontEnd = startFrontEnd(useTemporaryHome())
  const discovered = await frontEnd.request('server/discover', { _meta: modernMeta })
  expect(discovered.result?.['supportedVersions']).toContain('2026-07-28')
  await frontEnd.initialize()
  expect(await listTools(frontEnd)).toHaveLength(toolNames.length)
})

describe('every tool', () => {
  test('is listed in a fixed order with title, description, example and annotations', async () => {
    const tools = await listedTools()
    expect(tools.map(({ name }) => name)).toEqual(toolNames)
    for (const tool of tools) {
      expect(tool.name.length, tool.name).toBeLessThanOrEqual(40)
      expect(tool.title, tool.name).toMatch(/\w/)
      expect(tool.description, tool.name).toMatch(/Example: \{.*\}$/)
      expect(tool.description.length, tool.name).toBeLessThan(2_500)
      expect(Object.keys(tool.annotations).sort(), tool.name).toEqual([
        'destructiveHint',
        'idempotentHint',
        'openWorldHint',
        'readOnlyHint',
        'title',
      ])
    }
  })

  test('has the annotations that fit what it does', async () => {
    const byName = new Map((await listedTools()).map((tool) => [tool.name, tool]))
    for (const name of [
      'job_status',
      'wait_for_jobs',
      'list_jobs',
      'list_units',
      'job_logs',
      'job_result',
      'list_schedules',
      'list_job_types',
      'queue_status',
    ]) {
      expect(byName.get(name)?.annotations, name).toMatchObject({ readOnlyHint: true, openWorldHint: false })
    }
    for (const name of ['submit_job', 'rerun_job']) {
      expect(byName.get(name)?.annotations, name).toMatchObject({ destructiveHint: true, openWorldHint: true })
    }
    for (const name of ['cancel_job', 'decide_job', 'delete_jobs']) {
      expect(byName.get(name)?.annotations, name).toMatchObject({ destructiveHint: true, idempotentHint: true })
    }
    for (const name of ['submit_job', 'job_status', 'wait_for_jobs', 'whats_new']) {
      expect(byName.get(name)?._meta, name).toMatchObject({ 'anthropic/alwaysLoad': true })
    }
    const always = [...byName.values()].filter(({ _meta }) => _meta?.['anthropic/alwaysLoad'] === true)
    expect(always.map(({ name }) => name)).toEqual(['submit_job', 'job_status', 'wait_for_jobs', 'whats_new'])
    for (const name of ['list_jobs', 'queue_status']) {
      expect(byName.get(name)?._meta, name).toEqual({
        ui: { resourceUri: 'ui://nightkiln/board' },
        'ui/resourceUri': 'ui://nightkiln/board',
      })
    }
    for (const name of ['job_logs', 'job_result', 'list_units']) {
      expect(byName.get(name)?._meta, name).toHaveProperty(['anthropic/maxResultSizeChars'])
    }
  })

  test('has schemas that old and new dialects of JSON Schema read alike', async () => {
    for (const tool of await listedTools()) {
      for (const [side, root] of Object.entries({ input: tool.inputSchema, output: tool.outputSchema })) {
        const where = `${tool.name} ${side}`
        expect(root['type'], where).toBe('object')
        expect(root['additionalProperties'], where).toBe(false)
        for (const schema of schemasIn(root)) {
          expect(schema, where).not.toHaveProperty('$ref')
          expect(schema, where).not.toHaveProperty('$schema')
          expect(Array.isArray(schema['type']), where).toBe(false)
        }
      }
    }
  })

  test('is small: a model reads the whole list in its first request', async () => {
    const size = (value: unknown) => JSON.stringify(value).length
    const tools = await listedTools()
    expect(size(tools)).toBeLessThan(79_000)
    expect(size(tools.map(({ outputSchema }) => outputSchema))).toBeLessThan(26_500)
  })

  test('that submits asks for nothing that the front end knows by itself', async () => {
    const submit = (await listedTools()).find(({ name }) => name === 'submit_job')
    expect(submit?.inputSchema['required']).toEqual(['params'])
    expect(submit?.inputSchema['properties']).not.toHaveProperty('context')
  })
})
