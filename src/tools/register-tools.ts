import {
  type CallToolResult,
  CLIENT_INFO_META_KEY,
  type ListToolsResult,
  ProtocolError,
  ProtocolErrorCode,
  type Server,
  type ServerContext,
} from '@modelcontextprotocol/server'
import type { Tool, ToolHost } from './define-tool.ts'

/** The tools and what they need; loaded when a client first asks for them. */
export interface ToolBox {
  readonly tools: readonly Tool[]
  readonly host: ToolHost
}

interface ClientIdentity {
  readonly name: string
  readonly version?: string | undefined
}

/** @returns how a job names its submitter: the client as it introduced itself, in either protocol era. */
function submittedBy(server: Server, context: ServerContext): string {
  const envelope: Readonly<Record<string, unknown>> = context.mcpReq.envelope ?? {}
  const named = (envelope[CLIENT_INFO_META_KEY] ?? server.getClientVersion()) as ClientIdentity | undefined
  return named === undefined ? 'mcp client' : `${named.name} ${named.version ?? ''}`.trim()
}

/** Serves tools/list and tools/call of one connection. `load` is called at the first of them. */
export function registerTools(server: Server, load: () => Promise<ToolBox>): void {
  server.setRequestHandler('tools/list', async (): Promise<ListToolsResult> => {
    const { tools } = await load()
    return { tools: tools.map((tool) => tool.listed()) }
  })
  server.setRequestHandler('tools/call', async (request, context): Promise<CallToolResult> => {
    const { tools, host } = await load()
    const { name, arguments: given } = request.params
    const tool = tools.find((candidate) => candidate.name === name)
    if (tool === undefined) {
      const names = tools.map((candidate) => candidate.name).join(', ')
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, `There is no tool "${name}". The tools are: ${names}.`)
    }
    return await tool.run(given, { signal: context.mcpReq.signal, submittedBy: submittedBy(server, context) }, host)
  })
}
