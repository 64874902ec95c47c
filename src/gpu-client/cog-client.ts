import { z } from 'zod'
import { largestAnswerBytes } from '../domain/wire/prediction.ts'
import { readJson } from './http/create-worker-client.ts'
import { parseAs } from './http/safe-json.ts'
import type { WorkerChannel } from './http/worker-channel.ts'
import { WorkerFault } from './worker-client.ts'

/** How a plain Cog server answers the request that made a prediction. */
const cogPrediction = z.looseObject({
  id: z.string().optional(),
  status: z.enum(['starting', 'processing', 'succeeded', 'failed', 'canceled', 'aborted']),
  output: z.json().optional(),
  error: z.string().nullish(),
  logs: z.string().default(''),
})
export type CogPrediction = z.infer<typeof cogPrediction>

const cogHealth = z.looseObject({
  status: z.enum(['STARTING', 'READY', 'BUSY', 'SETUP_FAILED', 'DEFUNCT', 'UNHEALTHY', 'UNKNOWN']),
})
export type CogStatus = z.infer<typeof cogHealth>['status']

/** Requests to a plain Cog server: the connection is the lease, and what ended is forgotten. All throw WorkerFault. */
export interface CogClient {
  status(signal?: AbortSignal): Promise<CogStatus>
  /** Holds the connection open until the prediction has ended, at most `deadlineMs`; giving up makes the server cancel it. */
  predict(
    request: { readonly id: string; readonly body: string; readonly deadlineMs: number },
    signal?: AbortSignal,
  ): Promise<CogPrediction>
  cancel(id: string, signal?: AbortSignal): Promise<void>
}

export function cogClientOver(channel: WorkerChannel): CogClient {
  const maxBytes = largestAnswerBytes
  return {
    status: (signal) =>
      channel.call({ method: 'GET', path: 'health-check', accept: [200], maxBytes, signal }, async (answer, scrub) => {
        return parseAs(cogHealth, await readJson(answer, scrub, maxBytes)).status
      }),
    predict: ({ id, body, deadlineMs }, signal) =>
      channel.call(
        {
          method: 'PUT',
          path: `predictions/${id}`,
          headers: { 'content-type': 'application/json' },
          body,
          accept: [200],
          maxBytes,
          deadlineMs,
          headersMs: deadlineMs,
          signal,
        },
        async (answer, scrub) => {
          const found = parseAs(cogPrediction, await readJson(answer, scrub, maxBytes))
          if (found.id === undefined || found.id === id) return found
          throw new WorkerFault('protocol', 'WRONG_ID', 'it answered about another prediction')
        },
      ),
    cancel: (id, signal) =>
      channel.call(
        { method: 'POST', path: `predictions/${id}/cancel`, accept: [200, 202, 404], maxBytes, signal },
        (answer) => answer.body.dump(),
      ),
  }
}
