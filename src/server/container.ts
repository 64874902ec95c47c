import { Server } from '@modelcontextprotocol/server'
import { version } from '../config/version.ts'
import { registerTools, type ToolBox } from '../tools/register-tools.ts'
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
  let box: Promise<ToolBox> | undefined

  // A client waits for the answer to its first message; tools and the HTTP client are loaded after that.
  const load = (): Promise<ToolBox> => {
    box ??= Promise.all([import('../tools/all-tools.ts'), import('./tool-host.ts')]).then(
      ([{ tools }, { createToolHost }]) => ({ tools, host: createToolHost(leaving.signal) }),
    )
    return box
  }

  return {
    createServer() {
      const server = new Server(
        { name: 'nightkiln', title: 'Nightkiln job queue', version },
        { capabilities: { tools: { listChanged: false } }, instructions },
      )
      registerTools(server, load)
      setImmediate(() => load().catch(() => {}))
      return server
    },
    abort: () => leaving.abort(new Error('the MCP client is gone')),
  }
}
