import { CLIENT_CAPABILITIES_META_KEY, type JSONRPCRequest } from '@modelcontextprotocol/server'
import { tasksExtension } from '../caller.ts'
import type { Caller, Connection } from '../served.ts'
import { undeclaredTasks } from '../tasks/register-tasks.ts'
import type { Announcer } from './announcer.ts'
import { filterOf, taskUri, withTasksAsResources } from './listen-translation.ts'

/** A listen that may be put to the router, and its end. */
export interface OpenListen {
  readonly message: JSONRPCRequest
  /** The router knows it: what was to be told meanwhile is told now. */
  heard(): void
  end(): void
}

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
  const end = () => {
    for (const one of ends.splice(0)) one()
  }
  try {
    for (const uri of new Set(resourceSubscriptions)) ends.push(announcer.watchResource(uri))
    if (toolsListChanged === true || resourcesListChanged === true) ends.push(announcer.watchLists())
    if (taskIds === undefined || taskIds.length === 0) {
      return { message: withTasksAsResources(message, []), heard: () => undefined, end }
    }
    const tasks = await announcer.watchTasks(taskIds, caller)
    ends.push(tasks.end)
    const uris = tasks.agreed.map((taskId) => taskUri(taskId, tasks.watch))
    return { message: withTasksAsResources(message, uris), heard: tasks.heard, end }
  } catch (error) {
    end()
    throw error
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
