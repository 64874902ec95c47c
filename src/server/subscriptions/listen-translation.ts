import type { JSONRPCMessage, JSONRPCRequest } from '@modelcontextprotocol/server'

/**
 * The package's router of `subscriptions/listen` knows the kinds of the core protocol. A task is put to it as a resource with a
 * private URI, and turned back on the way out, so that ids, filters, acknowledgement and end stay in its hands.
 */
const privateScheme = 'nightkiln-task:'

interface ListenFilter {
  readonly toolsListChanged?: boolean
  readonly resourcesListChanged?: boolean
  readonly resourceSubscriptions?: readonly string[]
  readonly taskIds?: readonly string[]
}

type Params = Readonly<Record<string, unknown>>

/** Most resources and tasks that one listen may name. */
export const mostNames = 200

/**
 * @param watch number of the listen that is told: two of the same task are told apart, each hears what it may and hears it once
 * @returns the private URI of a task
 */
export function taskUri(taskId: string, watch: number): string {
  return `${privateScheme}${watch}:${taskId}`
}

/** @returns true for a listen with an id that may be answered; any other is the package's to refuse. */
export function isListen(message: unknown): message is JSONRPCRequest {
  const { method, id } = (message ?? {}) as { readonly method?: unknown; readonly id?: unknown }
  return method === 'subscriptions/listen' && (typeof id === 'string' || Number.isInteger(id))
}

/** @returns what a listen asks for; lists of anything but text count as empty, the router refuses them itself. */
export function filterOf(message: JSONRPCRequest): ListenFilter {
  const filter = (message.params as Params | undefined)?.['notifications']
  if (typeof filter !== 'object' || filter === null) return {}
  const { resourceSubscriptions, taskIds, ...lists } = filter as Params
  return {
    ...lists,
    resourceSubscriptions: texts(resourceSubscriptions)
      .filter((uri) => !isPrivate(uri))
      .slice(0, mostNames),
    ...(taskIds === undefined ? {} : { taskIds: texts(taskIds).slice(0, mostNames) }),
  }
}

/**
 * @param taskUris private URIs of the tasks that will be told of
 * @returns the listen as the router takes it; what is malformed stays, for it to refuse
 */
export function withTasksAsResources(message: JSONRPCRequest, taskUris: readonly string[]): JSONRPCRequest {
  const given: unknown = (message.params as Params | undefined)?.['notifications']
  if (typeof given !== 'object' || given === null) return message
  const { taskIds: _, resourceSubscriptions, ...filter } = given as Params
  if (resourceSubscriptions !== undefined && !Array.isArray(resourceSubscriptions)) return message
  // A private URI that comes from outside would tell of somebody else's task.
  const own = (resourceSubscriptions ?? []).filter((uri) => !isPrivate(uri))
  // What is beyond the limit is not told of, and so not acknowledged.
  const uris: unknown[] = [...own.slice(0, mostNames), ...taskUris]
  const notifications = { ...filter, ...(uris.length === 0 ? {} : { resourceSubscriptions: uris }) }
  return { ...message, params: { ...message.params, notifications } } as JSONRPCRequest
}

/** @returns a message of the router as the client knows it: tasks are tasks again. */
export function withTasksFromResources<Message extends JSONRPCMessage>(message: Message): Message {
  if (!('method' in message)) return message
  const params = message.params as Params | undefined
  if (message.method === 'notifications/subscriptions/acknowledged') {
    const honoured = params?.['notifications'] as ListenFilter | undefined
    const uris = honoured?.resourceSubscriptions ?? []
    const taskIds = uris.filter(isPrivate).map(taskIdOf)
    if (taskIds.length === 0) return message
    const { resourceSubscriptions: _, ...rest } = honoured ?? {}
    const others = uris.filter((uri) => !isPrivate(uri))
    const resources = others.length === 0 ? {} : { resourceSubscriptions: others }
    return { ...message, params: { ...params, notifications: { ...rest, ...resources, taskIds } } }
  }
  if (message.method === 'notifications/resources/updated' && isPrivate(params?.['uri'])) {
    const { uri: _, task, ...rest } = params ?? {}
    return { ...message, method: 'notifications/tasks', params: { ...rest, ...(task as Params) } }
  }
  return message
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : []
}

function isPrivate(uri: unknown): uri is string {
  return typeof uri === 'string' && uri.startsWith(privateScheme)
}

function taskIdOf(uri: string): string {
  return uri.slice(uri.indexOf(':', privateScheme.length) + 1)
}
