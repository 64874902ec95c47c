import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { connectStdio } from '../support/mcp-stdio-client.ts'
import { distMain, repositoryRoot } from '../support/repository.ts'
import { useTemporaryHome } from '../support/temporary-home.ts'
import { errorOf, runProcess } from './run-cli.ts'

interface Entry {
  readonly type?: string
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

interface Configuration {
  readonly mcpServers: { readonly nightkiln: Entry }
}

const read = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as Configuration

test('prints an entry for any MCP client whose command serves, and changes nothing', async () => {
  const home = useTemporaryHome()
  const result = await runProcess(home, ['setup', 'generic'], { environment: { SHELL: '' } })
  expect(result).toMatchObject({ code: 0, stderr: '' })
  const { nightkiln } = (JSON.parse(result.stdout.replace(/^#.*$/m, '')) as Configuration).mcpServers
  expect(nightkiln).toMatchObject({ type: 'stdio', command: process.execPath, args: [distMain, 'mcp'] })
  expect(existsSync(join(home.home, '.claude.json'))).toBe(false)
  const [command, ...args] = [nightkiln.command, ...nightkiln.args] as [string, ...string[]]
  const client = await connectStdio({
    environment: { ...home.environment, ...nightkiln.env },
    ledger: home.ledger,
    command: [command, ...args],
  })
  expect((await client.client.listTools()).tools.map(({ name }) => name)).toContain('submit_job')
  await client.close()
})

test('the example for clients is what setup writes, and its command serves', async () => {
  const home = useTemporaryHome()
  const example = read(join(repositoryRoot, 'mcp.json.example')).mcpServers.nightkiln
  const real = (text: string) =>
    text.replace('/absolute/path/to/nightkiln', repositoryRoot).replace('/absolute/path/to/node', process.execPath)
  const { command, args, type } = { ...example, command: real(example.command), args: example.args.map(real) }
  expect({ type, command, args }).toEqual({ type: 'stdio', command: process.execPath, args: [distMain, 'mcp'] })
  const client = await connectStdio({
    environment: { ...example.env, NIGHTKILN_HOME: home.home },
    ledger: home.ledger,
    command: [command, ...args],
  })
  expect((await client.client.listTools()).tools).not.toEqual([])
  await client.close()
})

test('writes the file of any client for HTTP, with the token, which is shown to nobody', async () => {
  const home = useTemporaryHome()
  const file = join(home.home, 'client.json')
  writeFileSync(file, '{"mcpServers": {"other": {"command": "x"}}}\n', { mode: 0o600 })
  const result = await runProcess(home, ['setup', '--client', 'generic', '--http', '--file', 'client.json'])
  expect(result.code).toBe(0)
  const token = (await runProcess(home, ['token'])).stdout.trim()
  expect(read(file)).toEqual({
    mcpServers: {
      other: { command: 'x' },
      nightkiln: {
        type: 'http',
        url: 'http://127.0.0.1:8765/mcp',
        headers: { Authorization: `Bearer ${token}` },
      },
    },
  })
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(result.stdout + result.stderr).not.toContain(token)
  expect(result.stdout).toContain('Bearer nk_…')
})

test('keeps the token of this machine to itself when the server is another one', async () => {
  const home = useTemporaryHome()
  const result = await runProcess(home, ['setup', '--http', 'https://jobs.example.org/mcp', '--file', 'client.json'])
  expect(result.code).toBe(0)
  expect(readFileSync(join(home.home, 'client.json'), 'utf8')).toContain('"Bearer TOKEN"')
})

test('refuses what it does not understand', async () => {
  const home = useTemporaryHome()
  const result = await runProcess(home, ['setup', '--json', '--http', 'localhost'])
  expect(result.code).toBe(2)
  expect(errorOf(result)).toMatchObject({
    code: 'invalid_input',
    message: expect.stringContaining('--http is "localhost"'),
  })
})
