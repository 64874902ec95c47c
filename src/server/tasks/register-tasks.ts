import { ProtocolError, ProtocolErrorCode, type Server, type ServerContext } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { callerOf, tasksExtension } from '../caller.ts'
import type { Caller, Connection, ServedParts } from '../served.ts'
import { type TaskState, UnknownTaskError } from './task-backend.ts'

const missingCapability = -32021

const named = z.looseObject({ taskId: z.string() })
const anyResult = z.looseObject({})

/** @returns the error for a request of the extension that did not declare it. */
export function undeclaredTasks(): ProtocolError {
  return new ProtocolError(missingCapability, `Missing required client capability: the extension ${tasksExtension}`, {
    requiredCapabilities: { extensions: { [tasksExtension]: {} } },
  })
}

/** @returns a task as it stands on the wire, in answers and notifications alike. */
export function detailedTask(taskId: string, state: TaskState): Record<string, unknown> {
  return { taskId, ...state }
}

/** Serves `tasks/get`, `tasks/update` and `tasks/cancel` of one modern connection. */
export function registerTasks(server: Server, parts: ServedParts, connection: Connection): void {
  const serve = <Params extends z.ZodType>(
    method: string,
    params: Params,
    work: (given: z.output<Params>, caller: Caller, context: ServerContext) => Promise<Record<string, unknown>>,
  ) => {
    server.setRequestHandler(method, { params, result: anyResult }, async (given, context: ServerContext) => {
      const caller = callerOf(server, context, connection)
      if (!caller.takesTasks) throw undeclaredTasks()
      try {
        return { resultType: 'complete', ...(await work(given as z.output<Params>, caller, context)) }
      } catch (error) {
        if (error instanceof UnknownTaskError) throw new ProtocolError(ProtocolErrorCode.InvalidParams, error.message)
        throw error
      }
    })
  }

  serve('tasks/get', named, async ({ taskId }, caller) =>
    detailedTask(taskId, await (await parts.tasks()).get(taskId, caller)),
  )
  serve('tasks/update', named, async ({ taskId }, caller, { mcpReq: { inputResponses } }) => {
    // The package takes the answers out of the parameters of any request.
    if (inputResponses === undefined) {
      throw new ProtocolError(
        ProtocolErrorCode.InvalidParams,
        'tasks/update needs inputResponses: {"<key>": <response>}.',
      )
    }
    await (await parts.tasks()).update(taskId, inputResponses, caller)
    return {}
  })
  serve('tasks/cancel', named, async ({ taskId }, caller) => {
    await (await parts.tasks()).cancel(taskId, caller)
    return {}
  })
}
