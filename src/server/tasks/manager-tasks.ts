import { type CallToolResult, ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/server'
import { QueueError } from '../../domain/errors.ts'
import type { OperationAnswer, OperationName, OperationRequest } from '../../domain/wire/operations.ts'
import { type TaskView, taskId as taskIdSchema } from '../../domain/wire/tasks.ts'
import { approvalQuestion, decisionIn } from '../../tools/approval.ts'
import type { Tool, ToolHost } from '../../tools/define-tool.ts'
import { submitAnswerAfter } from '../../tools/submit-job.ts'
import { taskFacts, withOutcomeOf } from '../../tools/task-results.ts'
import type { Caller } from '../served.ts'
import type { ChangeFeed } from '../subscriptions/change-feed.ts'
import { type TaskBackend, type TaskState, UnknownTaskError } from './task-backend.ts'

/** Longest answer to a request about a task, ms. */
const callTimeoutMs = 40_000
const longestKey = 200

export interface ManagerTasksOptions {
  readonly host: ToolHost
  readonly tools: readonly Tool[]
  readonly changes: ChangeFeed
}

/** A task that somebody is told of. */
interface Watched {
  readonly ids: ReadonlySet<string>
  /** JSON of the state that was told last. */
  told: string
  isLooking: boolean
  /** Something changed since the look that is on its way began. */
  mayBeStale: boolean
}

/** Tasks that the manager keeps. This process holds nothing of them: whichever front end is asked, answers. */
export function createManagerTasks({ host, tools, changes }: ManagerTasksOptions): TaskBackend {
  const ask = async <Name extends OperationName>(
    name: Name,
    request: OperationRequest<Name>,
  ): Promise<OperationAnswer<Name>> => {
    try {
      return await host.call(name, request, AbortSignal.timeout(callTimeoutMs))
    } catch (error) {
      if (error instanceof QueueError && error.code === 'task_not_found') throw new UnknownTaskError()
      if (error instanceof QueueError) throw protocolError(error)
      throw error
    }
  }
  /** Looks again, one for each watch. */
  const lookers = new Set<(taskId: string) => void>()
  const reference = (taskId: string, { principal }: Caller) => {
    if (!taskIdSchema.safeParse(taskId).success) throw new UnknownTaskError()
    return { task_id: taskId, principal }
  }
  const look = (taskId: string, caller: Caller) => ask('get_task', reference(taskId, caller))
  const stateOf = async (view: TaskView, caller: Caller): Promise<TaskState> => {
    const facts = taskFacts(view)
    if (view.status === 'completed') {
      try {
        return { ...facts, status: 'completed', result: resultOf(view, tools) }
      } catch (error) {
        // No result can be made of it, now or later: the one way in which a task itself fails.
        const unreadable = new QueueError('internal', `the outcome of this task of ${view.tool} cannot be read`)
        const { code, message } = protocolError(error instanceof QueueError ? error : unreadable)
        return { ...facts, status: 'failed', error: { code, message } }
      }
    }
    // Who cannot show a form is told in words; the job stays held.
    if (view.status !== 'input_required') return { ...facts, status: view.status }
    if (!caller.canAsk) return { ...facts, status: 'working' }
    const { jobs } = await ask('job_status', { ids: view.questions.map((question) => question.job_id) })
    const questions = view.questions.flatMap(({ key, job_id }) => {
      const job = jobs.find(({ id }) => id === job_id)
      return job === undefined ? [] : [[key, approvalQuestion(job)] as const]
    })
    return { ...facts, status: 'input_required', inputRequests: Object.fromEntries(questions) }
  }

  return {
    get: async (taskId, caller) => await stateOf(await look(taskId, caller), caller),

    async update(taskId, inputResponses, caller) {
      const decisions: Record<string, 'approve' | 'reject'> = {}
      for (const key of Object.keys(inputResponses)) {
        // No question has a longer key; the others of this request count all the same.
        const decision = key.length > longestKey ? undefined : decisionIn(inputResponses, key)
        if (decision !== undefined) decisions[key] = decision
      }
      await ask('decide_task', { ...reference(taskId, caller), decisions })
    },

    async cancel(taskId, caller) {
      await ask('cancel_task', reference(taskId, caller))
      // The end of a wait is no change of a job; who listens here is told, who listens elsewhere learns it by polling.
      for (const look of lookers) look(taskId)
    },

    async watch(taskIds, caller, tell, signal) {
      const watched = new Map<string, Watched>()
      for (const taskId of new Set(taskIds)) {
        const view = await look(taskId, caller)
        const told = JSON.stringify(await stateOf(view, caller))
        watched.set(taskId, { ids: new Set(view.ids), told, isLooking: false, mayBeStale: false })
      }
      /** One look at a time: many changes in a moment are one, and an older state never comes after a newer one. */
      const lookAgain = async (taskId: string) => {
        const known = watched.get(taskId)
        if (known === undefined) return
        known.mayBeStale = true
        if (known.isLooking) return
        known.isLooking = true
        while (known.mayBeStale && watched.has(taskId) && !signal.aborted) {
          known.mayBeStale = false
          try {
            const state = await stateOf(await look(taskId, caller), caller)
            const text = JSON.stringify(state)
            if (signal.aborted) return
            if (text !== known.told) tell(taskId, state)
            known.told = text
          } catch (error) {
            // Its jobs were deleted: there is nothing more to tell. Anything else is told by the next change.
            if (error instanceof UnknownTaskError) watched.delete(taskId)
          }
        }
        known.isLooking = false
      }
      const stop = changes.follow(
        [...watched.values()].flatMap(({ ids }) => [...ids]),
        (change) => {
          for (const [taskId, { ids }] of watched) {
            if (change.kind === 'everything' || (change.kind === 'job' && ids.has(change.jobId))) void lookAgain(taskId)
          }
        },
      )
      // What changed since the first look, and before anybody was told of changes.
      for (const taskId of watched.keys()) void lookAgain(taskId)
      const looker = (taskId: string) => void lookAgain(taskId)
      lookers.add(looker)
      const end = () => {
        stop()
        lookers.delete(looker)
      }
      signal.addEventListener('abort', end, { once: true })
      if (signal.aborted) end()
    },
  }
}

/** @returns what the tool that made the task would have answered, had its caller waited. */
function resultOf(view: TaskView, tools: readonly Tool[]): CallToolResult {
  const { outcome, submitted } = view
  const tool = tools.find(({ name }) => name === view.tool)
  if (outcome === null || tool === undefined)
    throw new QueueError('internal', `the task of ${view.tool} has no outcome`)
  const answer = view.tool === 'submit_job' && submitted !== null ? submitAnswerAfter(submitted, outcome) : outcome
  return withOutcomeOf(view.ids.length === 1 ? outcome.jobs[0] : undefined, tool.finish(answer))
}

function protocolError(error: QueueError): ProtocolError {
  const code = error.code === 'invalid_input' ? ProtocolErrorCode.InvalidParams : ProtocolErrorCode.InternalError
  return new ProtocolError(code, `${error.code}: ${error.message}. ${error.remedy}`)
}
