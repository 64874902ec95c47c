import {
  type OperationAnswer,
  type OperationCall,
  type OperationName,
  operations,
} from '../../domain/wire/operations.ts'
import { apiVersion, oldestApiVersion } from '../../domain/wire/shared.ts'
import { addUnits } from '../services/add-units.ts'
import { cancelJobs } from '../services/cancel-job.ts'
import { decideJob } from '../services/decide-job.ts'
import { deleteJobs } from '../services/delete-jobs.ts'
import { exportJobs } from '../services/export-jobs.ts'
import { addGpuWorker, listGpuWorkers, removeGpuWorker, testGpu } from '../services/gpu-workers.ts'
import { jobLogs } from '../services/job-logs.ts'
import { jobResult } from '../services/job-result.ts'
import { jobStatus } from '../services/job-status.ts'
import { listJobTypes } from '../services/list-job-types.ts'
import { listJobs } from '../services/list-jobs.ts'
import { listSchedules } from '../services/list-schedules.ts'
import { listUnits } from '../services/list-units.ts'
import { pauseJobs, resumeJobs } from '../services/pause-job.ts'
import { queueStatus } from '../services/queue-status.ts'
import { removeSchedule } from '../services/remove-schedule.ts'
import { rerunJob } from '../services/rerun-job.ts'
import { scheduleJob } from '../services/schedule-job.ts'
import { sendInput } from '../services/send-input.ts'
import type { ServiceContext } from '../services/service-context.ts'
import { submitJob } from '../services/submit-job.ts'
import { cancelTask } from '../services/tasks/cancel-task.ts'
import { createTask } from '../services/tasks/create-task.ts'
import { decideTask } from '../services/tasks/decide-task.ts'
import { getTask } from '../services/tasks/get-task.ts'
import { updateJob } from '../services/update-job.ts'
import { waitForJobs } from '../services/wait-for-jobs.ts'
import { whatsNew } from '../services/whats-new.ts'

/** Answers one operation. The request is checked. The signal ends with the caller's connection; it is made only when asked for. */
export type OperationHandler<Name extends OperationName> = (
  context: ServiceContext,
  request: OperationCall<Name>,
  signal: () => AbortSignal,
) => OperationAnswer<Name> | Promise<OperationAnswer<Name>>

/** One handler for every operation of the table; the compiler refuses a missing one. */
export const operationHandlers: { readonly [Name in OperationName]: OperationHandler<Name> } = {
  handshake: ({ facts, isDraining }) => ({
    instance_id: facts.instanceId,
    version: facts.version,
    api_version: apiVersion,
    oldest_api_version: oldestApiVersion,
    pid: facts.pid,
    epoch: facts.epoch,
    state: isDraining() ? 'draining' : 'leading',
  }),
  submit_job: submitJob,
  rerun_job: rerunJob,
  job_status: jobStatus,
  wait_for_jobs: waitForJobs,
  list_jobs: listJobs,
  whats_new: whatsNew,
  job_logs: jobLogs,
  job_result: jobResult,
  cancel_job: cancelJobs,
  decide_job: decideJob,
  pause_job: pauseJobs,
  resume_job: resumeJobs,
  update_job: updateJob,
  add_units: addUnits,
  list_units: listUnits,
  send_input: sendInput,
  delete_jobs: deleteJobs,
  export_jobs: exportJobs,
  schedule_job: scheduleJob,
  list_schedules: listSchedules,
  remove_schedule: removeSchedule,
  list_job_types: listJobTypes,
  queue_status: queueStatus,
  add_gpu_worker: addGpuWorker,
  remove_gpu_worker: removeGpuWorker,
  list_gpu_workers: listGpuWorkers,
  test_gpu: testGpu,
  create_task: createTask,
  get_task: getTask,
  decide_task: decideTask,
  cancel_task: cancelTask,
  stop_manager: ({ facts, supervisor, requestStop }, request) => {
    const answer = { pid: facts.pid, running: supervisor.running, drain_ms: request.drain_ms }
    requestStop({ drainMs: request.drain_ms, running: request.running, reason: request.reason })
    return answer
  },
}

/** Operations that hold their connection for long and so have a bound of their own. */
export function isLongPoll(name: OperationName): boolean {
  return name === 'wait_for_jobs' || name === 'test_gpu'
}

/** What tells that the manager lives, or ends it, is answered however many calls there are: a busy manager is not a dead one. */
export function isUnbounded(name: OperationName): boolean {
  return name === 'handshake' || name === 'stop_manager'
}

const startsWork: ReadonlySet<OperationName> = new Set([
  'submit_job',
  'rerun_job',
  'add_units',
  'delete_jobs',
  'export_jobs',
  'schedule_job',
  'send_input',
  'add_gpu_worker',
  'remove_gpu_worker',
  'test_gpu',
  'create_task',
  'decide_task',
])

/** Answers that a stopping manager still gives; everything else is for its successor. */
export function isAnsweredWhileDraining(name: OperationName): boolean {
  return !startsWork.has(name)
}

export function isOperationName(name: string): name is OperationName {
  return Object.hasOwn(operations, name)
}
