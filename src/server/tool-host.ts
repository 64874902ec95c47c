import { randomBytes } from 'node:crypto'
import { uuidv7 } from 'uuidv7'
import { createManagerClient, type ManagerClient, type ManagerNotice } from '../client/manager-client.ts'
import { captureSubmitContext } from '../client/submit-context.ts'
import { stateDirectory } from '../config/paths.ts'
import { version } from '../config/version.ts'
import type { OperationName } from '../domain/wire/operations.ts'
import { type CallLimiter, type CallLimits, createCallLimiter } from '../tools/call-limiter.ts'
import type { ToolHost } from '../tools/define-tool.ts'

/** Fewer than the connections of a client, so that no call waits for one in there. */
const parallelCalls = 48
const taskIdBytes = 16

export interface ToolHostOptions {
  /** Ends every call when this process ends. */
  readonly leaving: AbortSignal
  /** True where the directory of this process is not that of the client: a job must name its own. */
  readonly isRemote: boolean
  readonly onCall: () => void
}

export interface FrontEndHost extends ToolHost {
  /** What happens to these jobs (null: to any), and always new jobs and job types, from now on. */
  notices(jobIds: readonly string[] | null, signal: AbortSignal): AsyncIterable<ManagerNotice>
}

/** Runs calls on the manager API. The manager is looked for or started at the first call, not before. */
export function createToolHost({ leaving, isRemote, onCall }: ToolHostOptions): FrontEndHost {
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
      onCall()
      const ends = AbortSignal.any([signal, leaving])
      const lane = isLongPoll(name, request) ? longPolls : calls
      return await lane.limiter.run(() => lane.client().call(name, request, { signal: ends }), ends)
    },
    submitContext: async (submittedBy) => {
      const context = captureSubmitContext({ submittedBy })
      return isRemote ? { ...context, cwd: null } : context
    },
    newIdempotencyKey: uuidv7,
    newTaskId: () => randomBytes(taskIdBytes).toString('hex'),
    notices: (jobIds, signal) => longPolls.client().events({ ...(jobIds === null ? {} : { jobIds }), signal }),
  }
}

/** A wait of no time at all is a look, such as that of a wait that becomes a task. */
function isLongPoll(name: OperationName, request: object): boolean {
  return name === 'wait_for_jobs' && !('timeout_s' in request && request.timeout_s === 0)
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
