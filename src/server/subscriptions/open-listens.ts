import { CLIENT_CAPABILITIES_META_KEY, type JSONRPCRequest } from '@modelcontextprotocol/server'
import { tasksExtension } from '../caller.ts'
import type { Caller, Connection } from '../served.ts'
import { undeclaredTasks } from '../tasks/register-tasks.ts'
import type { Announcer } from './announcer.ts'
import { filterOf, withTasksAsResources } from './listen-translation.ts'

/** A listen that may be put to the router, and its end. */
export interface OpenListen {
  readonly message: JSONRPCRequest
  end(): void
}

/** Most resources and tasks that one listen may name. */
const mostNames = 200

/**
 * Begins to tell what a `subscriptions/listen` asks for.
 * @throws ProtocolError -32021 when it names tasks and does not declare the extension
 */
export async function openListen(
  announcer: Announcer,
  message: JSONRPCRequest,
  connection: Connection,
): Promise<OpenListen> {
  const { toolsListChanged, resourcesListChanged, resourceSubscriptions = [], taskIds } = filterOf(message)
  const caller = listenerOf(message, connection)
  if (taskIds !== undefined && !caller.takesTasks) throw undeclaredTasks()
  const ends: (() => void)[] = []
  for (const uri of new Set(resourceSubscriptions.slice(0, mostNames))) ends.push(announcer.watchResource(uri))
  if (toolsListChanged === true || resourcesListChanged === true) ends.push(announcer.watchLists())
  let agreed: readonly string[] = []
  if (taskIds !== undefined && taskIds.length > 0) {
    const watched = await announcer.watchTasks(taskIds.slice(0, mostNames), caller)
    agreed = watched.agreed
    ends.push(() => watched.end())
  }
  return {
    message: withTasksAsResources(message, agreed),
    end: () => {
      for (const end of ends.splice(0)) end()
    },
  }
}

function listenerOf(message: JSONRPCRequest, connection: Connection): Caller {
  const meta = message.params?._meta as Readonly<Record<string, unknown>> | undefined
  const declared = meta?.[CLIENT_CAPABILITIES_META_KEY] as
    | { readonly extensions?: Readonly<Record<string, unknown>>; readonly elicitation?: unknown }
    | undefined
  return {
    ...connection,
    submittedBy: 'listener',
    takesTasks: declared?.extensions?.[tasksExtension] !== undefined,
    canAsk: declared?.elicitation !== undefined,
  }
}
