import {
  type CallToolResult,
  CLIENT_INFO_META_KEY,
  type ListToolsResult,
  ProtocolError,
  ProtocolErrorCode,
  type Server,
  type ServerContext,
} from '@modelcontextprotocol/server'
import type { CallProgress, Tool, ToolHost } from './define-tool.ts'

/** What is loaded only when a client asks for it: the tools, and later what runs them. */
export interface ToolLoader {
  tools(): Promise<readonly Tool[]>
  host(): Promise<ToolHost>
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

/** @returns what tells the client how far a call is; undefined when it did not ask to be told. */
function progressReporter({ mcpReq }: ServerContext): ((progress: CallProgress) => void) | undefined {
  const progressToken = mcpReq._meta?.progressToken
  if (progressToken === undefined) return undefined
  return (progress) => {
    if (mcpReq.signal.aborted) return
    // A client that is gone needs no progress.
    mcpReq.notify({ method: 'notifications/progress', params: { progressToken, ...progress } }).catch(() => {})
  }
}

/** Serves tools/list and tools/call of one connection. */
export function registerTools(server: Server, loader: ToolLoader): void {
  server.setRequestHandler('tools/list', async (): Promise<ListToolsResult> => {
    const tools = await loader.tools()
    return { tools: tools.map((tool) => tool.listed()) }
  })
  server.setRequestHandler('tools/call', async (request, context): Promise<CallToolResult> => {
    const { name, arguments: given } = request.params
    const tools = await loader.tools()
    const tool = tools.find((candidate) => candidate.name === name)
    if (tool === undefined) {
      const names = tools.map((candidate) => candidate.name).join(', ')
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, `There is no tool "${name}". The tools are: ${names}.`)
    }
    const call = {
      signal: context.mcpReq.signal,
      submittedBy: submittedBy(server, context),
      reportProgress: progressReporter(context),
    }
    return await tool.run(given, call, await loader.host())
  })
}
