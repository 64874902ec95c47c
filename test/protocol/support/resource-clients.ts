import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport as OldStdioTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { onTestFinished } from 'vitest'
import { connectStdio } from '../../support/mcp-stdio-client.ts'
import type { TemporaryHome } from '../../support/temporary-home.ts'
import { frontEndCommand } from './front-end.ts'

interface ListedResource {
  readonly uri: string
  readonly name: string
  readonly description?: string | undefined
}

interface Content {
  readonly uri: string
  readonly mimeType?: string | undefined
  readonly text?: string
  readonly blob?: string
  readonly _meta?: Record<string, unknown> | undefined
}

export interface ReadFailure {
  readonly code: number
  readonly message: string
  readonly data?: unknown
}

/** Resources, prompts and completion, however a client library spells them. */
export interface ResourceClient {
  call(tool: string, input: Record<string, unknown>): Promise<Record<string, unknown>>
  resources(): Promise<readonly ListedResource[]>
  templates(): Promise<readonly string[]>
  read(uri: string): Promise<Content>
  complete(ref: CompletionOf, name: string, value: string, others?: Record<string, string>): Promise<readonly string[]>
  prompts(): Promise<readonly string[]>
  /** @returns the text of all messages */
  prompt(name: string, given?: Record<string, string>): Promise<string>
}

type CompletionOf = { readonly template: string } | { readonly prompt: string }

/** What both libraries have in common. */
interface Library {
  callTool(params: { name: string; arguments: Record<string, unknown> }): Promise<unknown>
  listResources(): Promise<{ resources: readonly ListedResource[] }>
  listResourceTemplates(): Promise<{ resourceTemplates: readonly { uriTemplate: string }[] }>
  readResource(params: { uri: string }): Promise<{ contents: readonly unknown[] }>
  complete(params: {
    ref: { type: 'ref/resource'; uri: string } | { type: 'ref/prompt'; name: string }
    argument: { name: string; value: string }
    context?: { arguments: Record<string, string> }
  }): Promise<{ completion: { values: readonly string[] } }>
  listPrompts(): Promise<{ prompts: readonly { name: string }[] }>
  getPrompt(params: { name: string; arguments: Record<string, string> }): Promise<{ messages: readonly unknown[] }>
}

function spoken(client: Library): ResourceClient {
  return {
    async call(name, input) {
      const answer = (await client.callTool({ name, arguments: input })) as {
        structuredContent?: Record<string, unknown>
      }
      return answer.structuredContent ?? {}
    },
    resources: async () => (await client.listResources()).resources,
    templates: async () =>
      (await client.listResourceTemplates()).resourceTemplates.map(({ uriTemplate }) => uriTemplate),
    read: async (uri) => (await client.readResource({ uri })).contents[0] as Content,
    async complete(of, name, value, others) {
      const ref =
        'template' in of
          ? ({ type: 'ref/resource', uri: of.template } as const)
          : ({ type: 'ref/prompt', name: of.prompt } as const)
      const context = others === undefined ? {} : { context: { arguments: others } }
      return (await client.complete({ ref, argument: { name, value }, ...context })).completion.values
    },
    prompts: async () => (await client.listPrompts()).prompts.map(({ name }) => name),
    async prompt(name, given = {}) {
      const { messages } = await client.getPrompt({ name, arguments: given })
      return (messages as { content: { text: string } }[]).map(({ content }) => content.text).join('\n')
    },
  }
}

type Connect = (home: TemporaryHome) => Promise<ResourceClient>

const connectOld: Connect = async (home) => {
  const [command, ...args] = frontEndCommand
  const transport = new OldStdioTransport({ command, args, env: { ...home.environment } })
  const client = new OldClient({ name: 'protocol-test', version: '1.0.0' })
  await client.connect(transport)
  home.ledger.add(transport.pid ?? undefined)
  onTestFinished(() => client.close())
  return spoken(client)
}

export const connectNew: Connect = async (home) => {
  const versionNegotiation = { mode: { pin: '2026-07-28' } } as const
  const { client } = await connectStdio({ environment: home.environment, ledger: home.ledger, versionNegotiation })
  onTestFinished(() => client.close())
  return spoken(client)
}

export const resourceClients: readonly [string, Connect][] = [
  ['SDK v1', connectOld],
  ['SDK v2 pinned to 2026-07-28', connectNew],
]

/** @returns the error that reading a URI gives. */
export async function failureAt(client: ResourceClient, uri: string): Promise<ReadFailure> {
  const outcome: unknown = await client.read(uri).catch((error: unknown) => error)
  if (outcome instanceof Error && 'code' in outcome) return outcome as unknown as ReadFailure
  throw new Error(`reading ${uri} gave ${JSON.stringify(outcome)}`)
}
