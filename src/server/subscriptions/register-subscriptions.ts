import type { Server } from '@modelcontextprotocol/server'
import type { ServedParts } from '../served.ts'
import { type AnnouncementTarget, createAnnouncer } from './announcer.ts'
import { taskUri } from './listen-translation.ts'

/** Most resources that one connection may subscribe to; the oldest subscription gives way. */
const mostSubscriptions = 200

/** @returns where the notifications of a connection with a server of its own go; a client that is gone needs none. */
export function serverTarget(current: () => Server | null): AnnouncementTarget {
  const send = (work: (server: Server) => Promise<void>) => {
    const server = current()
    if (server !== null) void work(server).catch(() => undefined)
  }
  return {
    resourceUpdated: (uri) => send((server) => server.sendResourceUpdated({ uri })),
    resourceListChanged: () => send((server) => server.sendResourceListChanged()),
    toolListChanged: () => send((server) => server.sendToolListChanged()),
    taskChanged: (taskId, state, watch) => {
      const params = { uri: taskUri(taskId, watch), task: { taskId, ...state } }
      send((server) => server.notification({ method: 'notifications/resources/updated', params }))
    },
  }
}

/** Serves `resources/subscribe` and changes of lists to one old connection, which gets them unasked. */
export function registerSubscriptions(server: Server, parts: ServedParts): void {
  const announcer = createAnnouncer({ changes: parts.changes, tasks: parts.tasks, target: serverTarget(() => server) })
  const subscribed = new Map<string, () => void>()
  const end = (uri: string) => {
    subscribed.get(uri)?.()
    subscribed.delete(uri)
  }
  let endLists: (() => void) | undefined

  server.setRequestHandler('resources/subscribe', ({ params: { uri } }) => {
    end(uri)
    const [oldest] = subscribed.keys()
    if (subscribed.size >= mostSubscriptions && oldest !== undefined) end(oldest)
    subscribed.set(uri, announcer.watchResource(uri))
    return {}
  })
  server.setRequestHandler('resources/unsubscribe', ({ params: { uri } }) => {
    end(uri)
    return {}
  })
  server.oninitialized = () => {
    endLists ??= announcer.watchLists()
  }
  server.onclose = () => {
    endLists?.()
    for (const uri of [...subscribed.keys()]) end(uri)
  }
}
