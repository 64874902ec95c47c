import { Server } from '@modelcontextprotocol/server'
import { version } from '../config/version.ts'
import type { Tool, ToolHost } from '../tools/define-tool.ts'
import { registerTools, type ToolLoader } from '../tools/register-tools.ts'
import { instructions } from './instructions.ts'

export interface FrontEnd {
  /** A server for one connection; everything it needs is shared and made at the first call. */
  createServer(): Server
  /** Ends every call in flight, and nothing else: jobs and manager go on. */
  abort(): void
}

/** Composition root of the front end: nothing is opened or started before the first tool call. */
export function createFrontEnd(): FrontEnd {
  const leaving = new AbortController()
  let tools: Promise<readonly Tool[]> | undefined
  let host: Promise<ToolHost> | undefined

  const loader: ToolLoader = {
    tools: () => {
      tools ??= import('../tools/all-tools.ts').then((module) => module.tools)
      return tools
    },
    host: () => {
      host ??= import('./tool-host.ts').then(({ createToolHost }) => createToolHost(leaving.signal))
      return host
    },
  }

  return {
    createServer() {
      const server = new Server(
        { name: 'nightkiln', title: 'Nightkiln job queue', version },
        { capabilities: { tools: { listChanged: false } }, instructions },
      )
      registerTools(server, loader)
      // A client waits for the answer to its first message; the tools are loaded right after it.
      setImmediate(() => void loader.tools().catch(() => {}))
      return server
    },
    abort: () => leaving.abort(new Error('the MCP client is gone')),
  }
}
