import { uuidv7 } from 'uuidv7'
import { createManagerClient, type ManagerClient } from '../client/manager-client.ts'
import { captureSubmitContext } from '../client/submit-context.ts'
import { stateDirectory } from '../config/paths.ts'
import { version } from '../config/version.ts'
import { type CallLimiter, type CallLimits, createCallLimiter } from '../tools/call-limiter.ts'
import type { ToolHost } from '../tools/define-tool.ts'

/** Fewer than the connections of a client, so that no call waits for one in there. */
const parallelCalls = 48

/**
 * Runs tool calls on the manager API. The manager is looked for or started at the first call, not before.
 * @param leaving ends every call when this process ends
 */
export function createToolHost(leaving: AbortSignal): ToolHost {
  const calls = createLane({
    parallel: parallelCalls,
    waiting: 10_000,
    remedy: 'Wait for answers before you call again.',
  })
  // Long polls have connections and places of their own, so that they never stand in the way of a short call.
  const longPolls = createLane({
    parallel: parallelCalls,
    waiting: 0,
    remedy: 'Wait for several jobs with one call: ids takes up to 50.',
  })

  return {
    async call(name, request, signal) {
      const ends = AbortSignal.any([signal, leaving])
      const lane = name === 'wait_for_jobs' ? longPolls : calls
      return await lane.limiter.run(() => lane.client().call(name, request, { signal: ends }), ends)
    },
    submitContext: async (submittedBy) => captureSubmitContext({ submittedBy }),
    newIdempotencyKey: uuidv7,
  }
}

interface Lane {
  readonly limiter: CallLimiter
  /** @throws QueueError config_invalid when the state directory is not usable */
  client(): ManagerClient
}

function createLane(limits: CallLimits): Lane {
  let client: ManagerClient | undefined
  return {
    limiter: createCallLimiter(limits),
    client() {
      client ??= createManagerClient({ home: stateDirectory(), version, submittedBy: `nightkiln mcp ${version}` })
      return client
    },
  }
}
