import type { Server } from '@modelcontextprotocol/server'
import { createMcpServer } from './create-mcp-server.ts'
import { instructions } from './instructions.ts'
import type { Caller, Connection, ServedParts, ServedTool } from './served.ts'
import { createChangeFeed } from './subscriptions/change-feed.ts'
import type { FrontEndHost } from './tool-host.ts'

export interface FrontEnd {
  /** Shared by all connections; everything behind it is loaded and made at its first use. */
  readonly parts: ServedParts
  createServer(connection: Connection): Server
  /** Ends every call in flight, and nothing else: jobs and manager go on. */
  abort(): void
}

export interface FrontEndOptions {
  /** True where the directory of this process is not that of the client. */
  readonly isRemote: boolean
}

/** Composition root of the front end: nothing is opened or started before the first call that needs it. */
export function createFrontEnd(options: FrontEndOptions = { isRemote: false }): FrontEnd {
  const leaving = new AbortController()
  const host = once(async (): Promise<FrontEndHost> => {
    const { createToolHost } = await import('./tool-host.ts')
    return createToolHost({ leaving: leaving.signal, isRemote: options.isRemote, onCall: () => changes.noteCall() })
  })
  const changes = createChangeFeed({
    leaving: leaving.signal,
    async *notices(jobIds, signal) {
      yield* (await host()).notices(jobIds, signal)
    },
  })
  const tools = once(async () => {
    const [{ tools }, { servedTool }] = await Promise.all([import('../tools/all-tools.ts'), import('./serve-tools.ts')])
    return tools.map((tool) => servedTool(tool, host))
  })
  const tasks = once(async () => {
    const [{ tools }, { createManagerTasks }] = await Promise.all([
      import('../tools/all-tools.ts'),
      import('./tasks/manager-tasks.ts'),
    ])
    return createManagerTasks({ host: await host(), tools, changes })
  })
  const resources = once(async () => (await import('./resources/all-resources.ts')).allResources(host))
  const prompts = once(async () => (await import('./prompts/prompts.ts')).prompts(host))
  const parts: ServedParts = { instructions, tools: listing, tasks, resources, prompts, changes }

  /** Which types there are matters to who reads the list, not to who calls. */
  async function listing(caller: Caller | null): Promise<readonly ServedTool[]> {
    const all = await tools()
    if (caller === null) return all
    const { installedTypes, withTypes } = await import('./installed-types.ts')
    const line = await installedTypes(host)
    if (line === null) return all
    return all.map((tool) =>
      tool.name === 'submit_job' ? { ...tool, listed: () => withTypes(tool.listed(), line) } : tool,
    )
  }

  return {
    parts,
    createServer(connection) {
      // A client waits for the answer to its first message; the tools are loaded right after it.
      setImmediate(() => void tools().catch(() => {}))
      return createMcpServer(parts, connection)
    },
    abort: () => leaving.abort(new Error('the MCP client is gone')),
  }
}

function once<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined
  return () => {
    made ??= make()
    return made
  }
}
