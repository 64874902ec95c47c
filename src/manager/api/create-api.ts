import type { HttpBindings } from '@hono/node-server'
import { Hono } from 'hono'
import type { Logger } from 'pino'
import { QueueError } from '../../domain/errors.ts'
import { invalidInput } from '../../domain/wire/invalid-input.ts'
import { type OperationName, operations } from '../../domain/wire/operations.ts'
import type { ServiceContext } from '../services/service-context.ts'
import { eventsRoute } from './events-route.ts'
import {
  isAnsweredWhileDraining,
  isLongPoll,
  isOperationName,
  isUnbounded,
  type OperationHandler,
  operationHandlers,
} from './operation-handlers.ts'
import { problemOf } from './problem-answer.ts'
import { readBody } from './read-body.ts'

export interface ApiOptions {
  readonly context: ServiceContext
  readonly log: Logger
}

export type ManagerApi = Hono<{ Bindings: HttpBindings }>

/** Beyond these a caller is told to come back, instead of everybody waiting (DESIGN §10.15). */
const mostCalls = 2_000
const mostLongPolls = 2_000

/** The manager API: POST /v1/<operation> with JSON both ways, GET /v1/events as a stream. Errors are problem documents. */
export function createApi({ context, log }: ApiOptions): ManagerApi {
  const api = new Hono<{ Bindings: HttpBindings }>()
  const calls = { short: 0, long: 0 }

  api.post('/v1/:operation', async (request) => {
    const name = request.req.param('operation')
    if (!isOperationName(name)) throw new QueueError('invalid_input', `there is no operation "${name}"`)
    // Received before it is counted: a call that is only half sent holds nobody else back.
    const body = parseBody(await readBody(request.env.incoming))
    if (context.isDraining() && !isAnsweredWhileDraining(name)) {
      throw new QueueError('manager_unavailable', 'the manager is stopping; repeat the call')
    }
    const signal = () => request.req.raw.signal
    if (isUnbounded(name)) return request.json(await answer(context, name, body, signal))
    const lane = isLongPoll(name) ? 'long' : 'short'
    if (calls[lane] >= (lane === 'long' ? mostLongPolls : mostCalls)) {
      throw new QueueError('limit_exceeded', `${calls[lane]} calls are in flight; repeat in a moment`)
    }
    calls[lane] += 1
    try {
      return request.json(await answer(context, name, body, signal))
    } finally {
      calls[lane] -= 1
    }
  })

  api.get('/v1/events', (request) => eventsRoute(context, request))

  api.notFound((request) =>
    request.json(problemOf(new QueueError('invalid_input', `nothing is at ${request.req.path}`)), 404),
  )

  api.onError((error, request) => {
    if (!(error instanceof QueueError)) log.error({ err: error, path: request.req.path }, 'a call failed unexpectedly')
    const problem = problemOf(error)
    if (problem.retry_after_ms !== undefined)
      request.header('retry-after', String(Math.ceil(problem.retry_after_ms / 1000)))
    request.header('content-type', 'application/problem+json')
    return request.body(JSON.stringify(problem), problem.status as 400)
  })

  return api
}

function parseBody(text: string): unknown {
  if (text === '') return {}
  try {
    return orTooDeep(() => JSON.parse(text) as unknown)
  } catch (error) {
    if (error instanceof QueueError) throw error
    throw new QueueError('invalid_input', `the body is not JSON: ${(error as Error).message}`)
  }
}

/** What is nested so deeply that the stack ends is the caller's mistake, not a defect of the manager. */
function orTooDeep<Value>(work: () => Value): Value {
  try {
    return work()
  } catch (error) {
    if (error instanceof RangeError) throw new QueueError('invalid_input', 'the body is nested too deeply')
    throw error
  }
}

async function answer<Name extends OperationName>(
  context: ServiceContext,
  name: Name,
  body: unknown,
  signal: () => AbortSignal,
) {
  const schema = operations[name].request
  const parsed = orTooDeep(() => schema.safeParse(body))
  if (!parsed.success) throw invalidInput(parsed.error, { schema, value: body })
  const handler = operationHandlers[name] as OperationHandler<Name>
  return (await handler(context, parsed.data as Parameters<typeof handler>[1], signal)) as object
}
