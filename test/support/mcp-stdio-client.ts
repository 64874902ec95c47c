import { Client, type VersionNegotiationOptions } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { expect } from 'vitest'
import type { ProcessLedger } from './process-ledger.ts'
import { distMain } from './repository.ts'

export interface StdioClientOptions {
  readonly environment: Readonly<Record<string, string>>
  /** Records the server's pid; left out: the caller closes the client. */
  readonly ledger?: ProcessLedger
  /** Default: legacy, the SDK's own default. */
  readonly versionNegotiation?: VersionNegotiationOptions
  readonly cwd?: string
  readonly clientName?: string
  /** Default: node dist/cli/main.js mcp. */
  readonly command?: readonly [string, ...string[]]
}

export interface ToolAnswer {
  readonly isError: boolean
  /** content[0].text, always. */
  readonly text: string
  readonly structured: Record<string, unknown> | undefined
}

export interface McpStdioClient {
  readonly client: Client
  /** The server process. */
  readonly pid: number
  /** Everything the server wrote to stderr so far. */
  stderr(): string
  /** Calls a tool; an `isError` answer is an answer, not a throw. */
  call(tool: string, input?: Readonly<Record<string, unknown>>, timeoutMs?: number): Promise<ToolAnswer>
  /** Calls a tool and demands success; checks that text and structured content say the same. */
  callOk<Answer>(tool: string, input?: Readonly<Record<string, unknown>>, timeoutMs?: number): Promise<Answer>
  close(): Promise<void>
}

/** Spawns `nightkiln mcp` over stdio with the SDK's v2 client and connects. */
export async function connectStdio(options: StdioClientOptions): Promise<McpStdioClient> {
  const [command, ...args] = options.command ?? [process.execPath, distMain, 'mcp']
  const transport = new StdioClientTransport({
    command,
    args,
    env: { ...options.environment },
    stderr: 'pipe',
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  })
  let stderr = ''
  transport.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString('utf8')
  })
  const client = new Client(
    { name: options.clientName ?? 'nightkiln-test', version: '1.0.0' },
    options.versionNegotiation === undefined ? {} : { versionNegotiation: options.versionNegotiation },
  )
  await client.connect(transport)
  const pid = transport.pid
  if (pid === null) throw new Error(`the server has no pid; stderr: ${stderr}`)
  options.ledger?.add(pid)

  const call: McpStdioClient['call'] = async (tool, input = {}, timeoutMs = 60_000) => {
    const result = await client.callTool({ name: tool, arguments: { ...input } }, { timeout: timeoutMs })
    const first = Array.isArray(result.content) ? result.content[0] : undefined
    return {
      isError: result.isError === true,
      text: first?.type === 'text' ? first.text : '',
      structured: result.structuredContent as Record<string, unknown> | undefined,
    }
  }

  return {
    client,
    pid,
    stderr: () => stderr,
    call,
    async callOk<Answer>(tool: string, input?: Readonly<Record<string, unknown>>, timeoutMs?: number): Promise<Answer> {
      const answer = await call(tool, input, timeoutMs)
      expect(answer.isError, `${tool} answered: ${answer.text}`).toBe(false)
      expect(answer.text).toBe(JSON.stringify(answer.structured))
      return answer.structured as Answer
    },
    close: () => client.close(),
  }
}
