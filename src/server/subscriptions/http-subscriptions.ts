import {
  InMemoryServerEventBus,
  type JSONRPCMessage,
  type McpHandlerRequestOptions,
  ProtocolError,
  type ServerEventBus,
} from '@modelcontextprotocol/server'
import type { Connection, ServedParts } from '../served.ts'
import { createAnnouncer } from './announcer.ts'
import { isListen, taskUri, withTasksFromResources } from './listen-translation.ts'
import { openListen } from './open-listens.ts'

/** A modern handler: answers one request, whose body was read and parsed already. */
export type ModernFetch = (request: Request, options: McpHandlerRequestOptions) => Promise<Response>

export interface HttpSubscriptions {
  /** To be given to `createMcpHandler`. */
  readonly bus: ServerEventBus
  /** Serves a modern request; a `subscriptions/listen` is told of changes until its stream ends. */
  fetch(
    handler: ModernFetch,
    request: Request,
    options: McpHandlerRequestOptions,
    connection: Connection,
  ): Promise<Response>
}

const refusedStatus = 400

/** Connects the listen streams of one HTTP endpoint to what the queue tells. */
export function createHttpSubscriptions({ changes, tasks }: Pick<ServedParts, 'changes' | 'tasks'>): HttpSubscriptions {
  const bus = new InMemoryServerEventBus()
  const announcer = createAnnouncer({
    changes,
    tasks,
    target: {
      resourceUpdated: (uri) => bus.publish({ kind: 'resource_updated', uri }),
      resourceListChanged: () => bus.publish({ kind: 'resources_list_changed' }),
      toolListChanged: () => bus.publish({ kind: 'tools_list_changed' }),
      taskChanged: (taskId, state, watch) =>
        bus.publish({ kind: 'resource_updated', uri: taskUri(taskId, watch), params: { task: { taskId, ...state } } }),
    },
  })

  return {
    bus,
    async fetch(handler, request, options, connection) {
      const { parsedBody } = options
      if (!isListen(parsedBody)) return await handler(request, options)
      try {
        const listen = await openListen(announcer, parsedBody, connection)
        const response = await handler(request, { ...options, parsedBody: listen.message }).catch((error: unknown) => {
          listen.end()
          throw error
        })
        const { body, status, headers } = response
        // A refusal is one whole text, which nobody need read to its end.
        if (body === null || !headers.get('content-type')?.startsWith('text/event-stream')) {
          listen.end()
          return response
        }
        listen.heard()
        return new Response(
          translated(body, () => listen.end()),
          { status, headers },
        )
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error
        const { code, message, data } = error
        const answer = { jsonrpc: '2.0', id: parsedBody.id, error: { code, message, data } }
        return Response.json(answer, { status: refusedStatus })
      }
    },
  }
}

/** Every event of the router is one frame of one line of data; what is no event passes unchanged. */
function translated(frames: ReadableStream<Uint8Array>, ended: () => void): ReadableStream<Uint8Array> {
  const reader = frames.getReader()
  const decoder = new TextDecoder()
  const encoder = new TextEncoder()
  let rest = ''
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await reader.read()
      if (done) {
        ended()
        if (rest !== '') controller.enqueue(encoder.encode(rest))
        controller.close()
        return
      }
      const whole = (rest + decoder.decode(value, { stream: true })).split('\n\n')
      rest = whole.pop() ?? ''
      controller.enqueue(encoder.encode(whole.map((frame) => `${translatedFrame(frame)}\n\n`).join('')))
    },
    async cancel(reason) {
      ended()
      await reader.cancel(reason)
    },
  })
}

function translatedFrame(frame: string): string {
  return frame
    .split('\n')
    .map((line) => {
      if (!line.startsWith('data: ')) return line
      return `data: ${JSON.stringify(withTasksFromResources(JSON.parse(line.slice(6)) as JSONRPCMessage))}`
    })
    .join('\n')
}
