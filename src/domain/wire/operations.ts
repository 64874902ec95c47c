import type { z } from 'zod'
import * as control from './control.ts'
import * as gpu from './gpu.ts'
import * as history from './history.ts'
import * as jobs from './jobs.ts'
import * as manager from './manager.ts'
import * as schedules from './schedules.ts'
import * as submit from './submit.ts'
import * as tasks from './tasks.ts'
import * as units from './units.ts'

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
  decide_job: operation('Approve or reject a job held for review', control.decideRequest, control.decideAnswer),
  pause_job: operation('Pause jobs or a queue', control.pauseRequest, control.pauseAnswer),
  resume_job: operation('Resume jobs or a queue', control.resumeRequest, control.pauseAnswer),
  update_job: operation('Change an unfinished job or a queue', control.updateRequest, control.updateAnswer),
  add_units: operation('Add units to an unfinished job', units.addUnitsRequest, units.addUnitsAnswer),
  list_units: operation('Units of a job', units.listUnitsRequest, units.listUnitsAnswer),
  send_input: operation('Send a line to a running command', units.sendInputRequest, units.sendInputAnswer),
  delete_jobs: operation('Delete finished jobs', history.deleteRequest, history.deleteAnswer),
  export_jobs: operation('Write jobs or units to a file', history.exportRequest, history.exportAnswer),
  schedule_job: operation('Make or change a schedule', schedules.scheduleRequest, schedules.scheduleAnswer),
  list_schedules: operation('Schedules and their runs', schedules.listSchedulesRequest, schedules.listSchedulesAnswer),
  remove_schedule: operation('Remove a schedule', schedules.removeScheduleRequest, schedules.removeScheduleAnswer),
  list_job_types: operation('What can be submitted', jobs.listJobTypesRequest, jobs.listJobTypesAnswer),
  queue_status: operation('Manager, slots, totals', jobs.queueStatusRequest, jobs.queueStatusAnswer),
  add_gpu_worker: operation('Keep a GPU worker', gpu.addGpuWorkerRequest, gpu.addGpuWorkerAnswer),
  remove_gpu_worker: operation('Forget a GPU worker', gpu.removeGpuWorkerRequest, gpu.removeGpuWorkerAnswer),
  list_gpu_workers: operation('GPU workers as last seen', gpu.listGpuWorkersRequest, gpu.listGpuWorkersAnswer),
  test_gpu: operation('Connect to GPU workers and tell what they have', gpu.testGpuRequest, gpu.testGpuAnswer),
  create_task: operation('Keep a wait under a handle', tasks.createTaskRequest, tasks.taskView),
  get_task: operation('How a kept wait is', tasks.taskRequest, tasks.taskView),
  decide_task: operation('Answer questions of a kept wait', tasks.decideTaskRequest, tasks.taskView),
  cancel_task: operation('End a kept wait', tasks.taskRequest, tasks.cancelTaskAnswer),
  stop_manager: operation('Stop the manager', manager.stopRequest, manager.stopAnswer),
} as const

export type OperationName = keyof typeof operations
export type OperationRequest<Name extends OperationName> = z.input<(typeof operations)[Name]['request']>
export type OperationCall<Name extends OperationName> = z.output<(typeof operations)[Name]['request']>
export type OperationAnswer<Name extends OperationName> = z.output<(typeof operations)[Name]['answer']>

export const operationNames = Object.keys(operations) as OperationName[]
