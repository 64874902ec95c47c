import type { z } from 'zod'
import * as jobs from './jobs.ts'
import * as manager from './manager.ts'
import * as submit from './submit.ts'

/** One operation of the manager API: POST /v1/<name>, JSON both ways. All are safe to repeat. */
export interface Operation<Request extends z.ZodType = z.ZodType, Answer extends z.ZodType = z.ZodType> {
  readonly request: Request
  readonly answer: Answer
  readonly summary: string
}

function operation<Request extends z.ZodType, Answer extends z.ZodType>(
  summary: string,
  request: Request,
  answer: Answer,
): Operation<Request, Answer> {
  return { request, answer, summary }
}

/** The one door: MCP tool, CLI command and page button of a verb call the same operation. */
export const operations = {
  handshake: operation('Who the manager is', manager.handshakeRequest, manager.handshakeAnswer),
  submit_job: operation('Submit a job durably', submit.submitRequest, submit.submitAnswer),
  job_status: operation('State of one or several jobs', jobs.statusRequest, jobs.statusAnswer),
  wait_for_jobs: operation('Long poll for the end or a change', jobs.waitRequest, jobs.waitAnswer),
  list_jobs: operation('Find jobs', jobs.listRequest, jobs.listAnswer),
  whats_new: operation('What happened since the last look', jobs.whatsNewRequest, jobs.whatsNewAnswer),
  job_logs: operation('Output of an attempt', jobs.logsRequest, jobs.logsAnswer),
  job_result: operation('Result of a job', jobs.resultRequest, jobs.resultAnswer),
  cancel_job: operation('Cancel jobs', jobs.cancelRequest, jobs.cancelAnswer),
  rerun_job: operation('Run a job again as a new, linked job', submit.rerunRequest, submit.submitAnswer),
  list_job_types: operation('What can be submitted', jobs.listJobTypesRequest, jobs.listJobTypesAnswer),
  queue_status: operation('Manager, slots, totals', jobs.queueStatusRequest, jobs.queueStatusAnswer),
  stop_manager: operation('Stop the manager', manager.stopRequest, manager.stopAnswer),
} as const

export type OperationName = keyof typeof operations
export type OperationRequest<Name extends OperationName> = z.input<(typeof operations)[Name]['request']>
export type OperationCall<Name extends OperationName> = z.output<(typeof operations)[Name]['request']>
export type OperationAnswer<Name extends OperationName> = z.output<(typeof operations)[Name]['answer']>

export const operationNames = Object.keys(operations) as OperationName[]
