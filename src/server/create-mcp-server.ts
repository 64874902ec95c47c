import {
  type CompleteResult,
  ProtocolError,
  ProtocolErrorCode,
  ResourceNotFoundError,
  Server,
  type ServerCapabilities,
  type ServerContext,
} from '@modelcontextprotocol/server'
import { version } from '../config/version.ts'
import { serveAsking } from './ask-old-client.ts'
import { callerOf, tasksExtension } from './caller.ts'
import { quoted } from './quoted.ts'
import type { Connection, ServedParts } from './served.ts'
import { registerSubscriptions } from './subscriptions/register-subscriptions.ts'
import { registerTasks } from './tasks/register-tasks.ts'

/** MCP Apps: what a host needs to know before it shows the board. */
const appsExtension = { 'io.modelcontextprotocol/ui': { mimeTypes: ['text/html;profile=mcp-app'] } }

/** Values that one completion may carry. */
const mostCompletions = 100

/** Lists change with job types and jobs; who listens is told. */
const listCacheMs = 60_000

/** A question of a prompt or resource to an old client is given up after this, ms; questions of tools: ask-old-client.ts. */
const questionTimeoutMs = 35_000

/** A server for one connection of either era: the one place where a client's requests meet what is served. */
export function createMcpServer(parts: ServedParts, connection: Connection): Server {
  const isModern = connection.era === 'modern'
  const server = new Server(
    { name: 'nightkiln', title: 'Nightkiln job queue', version },
    {
      capabilities: capabilitiesOf(isModern),
      instructions: parts.instructions,
      cacheHints: {
        'server/discover': { ttlMs: 3_600_000, cacheScope: 'public' },
        'tools/list': { ttlMs: listCacheMs, cacheScope: 'private' },
        'prompts/list': { ttlMs: 3_600_000, cacheScope: 'public' },
        'resources/templates/list': { ttlMs: 3_600_000, cacheScope: 'public' },
      },
      inputRequired: { roundTimeoutMs: questionTimeoutMs, maxRounds: 2 },
    },
  )
  const caller = (context: ServerContext) => callerOf(server, context, connection)

  server.setRequestHandler('tools/list', async (_request, context) => {
    const tools = await parts.tools(caller(context))
    return { tools: tools.map((tool) => tool.listed()) }
  })
  server.setRequestHandler('tools/call', async (request, context) => {
    const { name, arguments: given } = request.params
    const tools = await parts.tools(null)
    const tool = tools.find((candidate) => candidate.name === name)
    if (tool === undefined) {
      const names = tools.map((candidate) => candidate.name).join(', ')
      throw invalid(`There is no tool ${quoted(name)}. The tools are: ${names}.`)
    }
    if (isModern) return await tool.serve(given, context, caller(context))
    return await serveAsking(server, tool, given, context, caller(context))
  })

  server.setRequestHandler('resources/list', async (_request, context) => {
    const families = await parts.resources()
    const lists = await Promise.all(families.map((family) => family.list(context, caller(context))))
    return { resources: lists.flat() }
  })
  server.setRequestHandler('resources/templates/list', async () => ({
    resourceTemplates: (await parts.resources()).flatMap((family) => family.templates),
  }))
  server.setRequestHandler('resources/read', async (request, context) => {
    const { uri } = request.params
    for (const family of await parts.resources()) {
      const read = await family.read(uri, context, caller(context))
      if (read !== null) return read
    }
    throw new ResourceNotFoundError(
      uri,
      `${quoted(uri)} names nothing here. resources/list and resources/templates/list show what can be read.`,
    )
  })

  server.setRequestHandler('prompts/list', async () => ({
    prompts: (await parts.prompts()).map((prompt) => prompt.listed),
  }))
  server.setRequestHandler('prompts/get', async (request, context) => {
    const { name, arguments: given = {} } = request.params
    const prompts = await parts.prompts()
    const prompt = prompts.find(({ listed }) => listed.name === name)
    if (prompt === undefined) {
      const names = prompts.map(({ listed }) => listed.name).join(', ')
      throw invalid(`There is no prompt ${quoted(name)}. The prompts are: ${names}.`)
    }
    const missing = prompt.listed.arguments?.find(
      ({ name, required }) => required === true && given[name] === undefined,
    )
    if (missing !== undefined) throw invalid(`The prompt ${name} needs the argument "${missing.name}".`)
    const valid = prompt.listed.arguments?.map(({ name }) => name) ?? []
    const unknown = Object.keys(given).find((key) => !valid.includes(key))
    if (unknown !== undefined) {
      throw invalid(`The prompt ${name} has no argument ${quoted(unknown)}; valid: ${valid.join(', ')}.`)
    }
    return await prompt.get(given, context, caller(context))
  })

  server.setRequestHandler('completion/complete', async (request, context): Promise<CompleteResult> => {
    const { ref, argument, context: known } = request.params
    const values = await completions(ref, argument.name, argument.value, known?.arguments ?? {}, context)
    return {
      completion: {
        values: values.slice(0, mostCompletions),
        total: values.length,
        hasMore: values.length > mostCompletions,
      },
    }
  })

  async function completions(
    ref:
      | { readonly type: 'ref/prompt'; readonly name: string }
      | { readonly type: 'ref/resource'; readonly uri: string },
    name: string,
    begun: string,
    others: Readonly<Record<string, string>>,
    context: ServerContext,
  ): Promise<readonly string[]> {
    if (ref.type === 'ref/prompt') {
      const prompt = (await parts.prompts()).find(({ listed }) => listed.name === ref.name)
      if (prompt === undefined) throw invalid(`There is no prompt ${quoted(ref.name)}.`)
      return (await prompt.complete?.(name, begun, caller(context))) ?? []
    }
    for (const family of await parts.resources()) {
      const values = await family.complete?.(ref.uri, name, begun, others, caller(context))
      if (values !== undefined && values !== null) return values
    }
    throw invalid(`There is no resource template ${quoted(ref.uri)}.`)
  }

  if (isModern) registerTasks(server, parts, connection)
  else registerSubscriptions(server, parts)
  return server
}

function capabilitiesOf(isModern: boolean): ServerCapabilities {
  return {
    tools: { listChanged: true },
    resources: { listChanged: true, subscribe: true },
    prompts: {},
    completions: {},
    extensions: isModern ? { ...appsExtension, [tasksExtension]: {} } : appsExtension,
  } as ServerCapabilities
}

function invalid(message: string): ProtocolError {
  return new ProtocolError(ProtocolErrorCode.InvalidParams, message)
}
