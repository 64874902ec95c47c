// A real MCP client with its own `nightkiln mcp` over stdio: reads a tool call a line, writes an answer a line.
import { createInterface } from 'node:readline'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { nightkiln } from './command-line.mjs'

const [command, ...args] = nightkiln
const client = new Client({ name: 'nightkiln-example', version: '1.0.0' })
await client.connect(new StdioClientTransport({ command, args: [...args, 'mcp'], env: process.env, stderr: 'ignore' }))
write({ ready: true })

for await (const line of createInterface({ input: process.stdin })) void answer(JSON.parse(line))
await client.close()

async function answer({ id, tool, input }) {
  const result = await client.callTool({ name: tool, arguments: input }, { timeout: 60_000 })
  write({ id, isError: result.isError === true, text: result.content[0].text })
}

function write(value) {
  process.stdout.write(`${JSON.stringify(value)}\n`)
}
