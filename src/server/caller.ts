import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  type ClientCapabilities,
  type Server,
  type ServerContext,
} from '@modelcontextprotocol/server'
import type { Caller, Connection } from './served.ts'

/** The tasks extension (SEP-2663). */
export const tasksExtension = 'io.modelcontextprotocol/tasks'

interface ClientIdentity {
  readonly name: string
  readonly version?: string | undefined
}

type DeclaredCapabilities = ClientCapabilities & { readonly extensions?: Readonly<Record<string, unknown>> }

/** @returns who calls and what this very request declares; old clients declared it when they connected. */
export function callerOf(server: Server, context: ServerContext, connection: Connection): Caller {
  const envelope: Readonly<Record<string, unknown>> = context.mcpReq.envelope ?? {}
  const isModern = connection.era === 'modern'
  const identity = (envelope[CLIENT_INFO_META_KEY] ?? server.getClientVersion()) as ClientIdentity | undefined
  const capabilities = (isModern ? envelope[CLIENT_CAPABILITIES_META_KEY] : server.getClientCapabilities()) as
    | DeclaredCapabilities
    | undefined
  return {
    ...connection,
    submittedBy: identity === undefined ? 'mcp client' : `${identity.name} ${identity.version ?? ''}`.trim(),
    takesTasks: isModern && capabilities?.extensions?.[tasksExtension] !== undefined,
    canAsk: canShowForms(capabilities),
  }
}

/** An empty `elicitation` is that of revisions before there were modes: forms. */
function canShowForms(capabilities: ClientCapabilities | undefined): boolean {
  const elicitation = capabilities?.elicitation
  if (elicitation === undefined) return false
  return elicitation.form !== undefined || Object.keys(elicitation).length === 0
}
