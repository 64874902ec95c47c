import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { z } from 'zod'

// One "chat": a real MCP client with its own `nightkiln mcp` server over stdio. It reads one tool call per line from its
// standard input and writes one answer per line. It is started in a process group of its own, to be killed as an app is.

const request = z.object({ id: z.int(), tool: z.string(), arguments: z.record(z.string(), z.unknown()) })

const environment: Record<string, string> = {}
for (const [name, value] of Object.entries(process.env)) if (value !== undefined) environment[name] = value

const transport = new StdioClientTransport({
  command: process.execPath,
  args: [join(dirname(dirname(fileURLToPath(import.meta.url))), 'main.js'), 'mcp'],
  env: environment,
  stderr: 'ignore',
})
const client = new Client({ name: 'nightkiln-demo', version: '1.0.0' })
await client.connect(transport)
write({ ready: true, server_pid: transport.pid })

let rest = ''
for await (const chunk of process.stdin) {
  rest += String(chunk)
  for (let end = rest.indexOf('\n'); end !== -1; end = rest.indexOf('\n')) {
    const line = rest.slice(0, end)
    rest = rest.slice(end + 1)
    void answer(line)
  }
}
await client.close()

async function answer(line: string): Promise<void> {
  const { id, tool, arguments: given } = request.parse(JSON.parse(line))
  const result = await client.callTool({ name: tool, arguments: given })
  const first = Array.isArray(result.content) ? result.content[0] : undefined
  write({ id, is_error: result.isError === true, text: first?.type === 'text' ? first.text : '' })
}

function write(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`)
}
