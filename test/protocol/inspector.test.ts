import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { repositoryRoot } from '../support/repository.ts'
import { useTemporaryHome } from '../support/temporary-home.ts'
import { ensureInspector, runInspector } from './support/inspector.ts'

const server = [process.execPath, join(repositoryRoot, 'dist', 'server', 'main.js')]

beforeAll(() => ensureInspector(), 180_000)

test.each(['legacy', 'auto', 'modern'])(
  'the Inspector lists the tools with --strict without an error (%s)',
  async (era) => {
    const run = await runInspector(
      server,
      ['--method', 'tools/list', '--strict', '--protocol-era', era],
      useTemporaryHome().environment,
    )
    expect(run.code, run.stderr).toBe(0)
    expect(run.stderr).not.toContain('Error: tool')
    const { tools } = JSON.parse(run.stdout) as { readonly tools: readonly { readonly name: string }[] }
    expect(tools).toHaveLength(23)
  },
)

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

test('the same check refuses a server with a bad schema', async () => {
  const { home, environment } = useTemporaryHome()
  const file = join(home, 'bad-server.mjs')
  writeFileSync(file, badServer)
  const run = await runInspector(
    [process.execPath, file],
    ['--method', 'tools/list', '--strict', '--protocol-era', 'legacy'],
    environment,
  )
  expect(run.code, run.stderr).toBe(6)
})
