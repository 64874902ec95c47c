import { McpServer, type Server } from '@modelcontextprotocol/server'
import { version } from '../../config/version.ts'
import type { ServedTool } from '../served.ts'

/**
 * A server whose tools' schemas the SDK knows, so that it refuses a call whose `Mcp-Param-…` headers do not say what its arguments
 * say (`x-mcp-header`). It asks only servers of this class.
 */
export class HeaderCheckedServer extends McpServer {
  override readonly server: Server
  readonly #tools: readonly ServedTool[]

  constructor(server: Server, tools: readonly ServedTool[]) {
    super({ name: 'nightkiln', version })
    this.server = server
    this.#tools = tools
  }

  override toolInputSchemaJson(name: string): Record<string, unknown> | undefined {
    return this.#tools.find((tool) => tool.name === name)?.listed().inputSchema
  }
}
