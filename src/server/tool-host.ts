import { randomUUID } from 'node:crypto'
import { createManagerClient, type ManagerClient } from '../client/manager-client.ts'
import { captureSubmitContext } from '../client/submit-context.ts'
import { stateDirectory } from '../config/paths.ts'
import { version } from '../config/version.ts'
import { createCallLimiter } from '../tools/call-limiter.ts'
import type { ToolHost } from '../tools/define-tool.ts'

/**
 * Runs tool calls on the manager API. The manager is looked for or started at the first call, not before.
 * @param leaving ends every call when this process ends
 */
export function createToolHost(leaving: AbortSignal): ToolHost {
  const ordinary = createCallLimiter({
    parallel: 64,
    waiting: 10_000,
    remedy: 'Wait for answers before you call again.',
  })
  // Long polls have places of their own, so that they never stand in the way of a short call.
  const waits = createCallLimiter({
    parallel: 256,
    waiting: 0,
    remedy: 'Wait for several jobs with one call: ids takes up to 50.',
  })
  let client: ManagerClient | undefined

  const manager = (): ManagerClient => {
    client ??= createManagerClient({ home: stateDirectory(), version, submittedBy: `nightkiln mcp ${version}` })
    return client
  }

  return {
    async call(name, request, signal) {
      const ends = AbortSignal.any([signal, leaving])
      const limiter = name === 'wait_for_jobs' ? waits : ordinary
      return await limiter.run(() => manager().call(name, request, { signal: ends }), ends)
    },
    submitContext: async (submittedBy) => captureSubmitContext({ submittedBy }),
    newIdempotencyKey: randomUUID,
  }
}
