import { onTestFinished } from 'vitest'
import { systemClock } from '../../../src/domain/clock.ts'
import { createWorkerClient } from '../../../src/gpu-client/http/create-worker-client.ts'
import type { WorkerTimeouts } from '../../../src/gpu-client/http/timeouts.ts'
import { type WorkerClient, WorkerFault } from '../../../src/gpu-client/worker-client.ts'

/** Long enough for a busy machine, short enough for a test. */
const timeouts: WorkerTimeouts = { connectMs: 3_000, headersMs: 10_000, bodyMs: 10_000, totalMs: 20_000 }

export function clientOf(
  url: string,
  options: { readonly key?: string; readonly ca?: string; readonly timeouts?: Partial<WorkerTimeouts> } = {},
): WorkerClient {
  const client = createWorkerClient({
    worker: 'rig',
    url,
    readKey: () => Promise.resolve(options.key ?? null),
    ca: options.ca ?? null,
    timeouts: { ...timeouts, ...options.timeouts },
    clock: systemClock,
  })
  onTestFinished(() => client.close())
  return client
}

export const put = { remoteId: 'p1', attemptToken: 't1', body: '{"input":{}}', leaseSeconds: 60 }
export const get = { remoteId: 'p1', attemptToken: 't1', logsFrom: 0, leaseSeconds: 60 }

/** @returns the fault that a call ended with */
export async function faultOf(call: Promise<unknown>): Promise<WorkerFault> {
  const outcome = await call.then(
    (value) => new Error(`it gave ${JSON.stringify(value)}`),
    (error: unknown) => error,
  )
  if (outcome instanceof WorkerFault) return outcome
  throw outcome
}
