import type { ServerContext } from '@modelcontextprotocol/server'
import type { CallProgress, Tool, ToolHost } from '../tools/define-tool.ts'
import type { ServedTool } from './served.ts'

/** @returns a tool of the queue as a server serves it. */
export function servedTool(tool: Tool, host: () => Promise<ToolHost>): ServedTool {
  return {
    name: tool.name,
    listed: () => tool.listed(),
    serve: async (given, context, caller, begun) =>
      await tool.run(
        given,
        {
          signal: context.mcpReq.signal,
          submittedBy: caller.submittedBy,
          principal: caller.principal,
          takesTasks: caller.takesTasks,
          canAsk: caller.canAsk,
          inputResponses: context.mcpReq.inputResponses,
          reportProgress: progressReporter(context),
          begun,
        },
        await host(),
      ),
  }
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
