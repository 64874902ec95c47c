import { addUnits } from './add-units.ts'
import { cancelJob } from './cancel-job.ts'
import { decideJob } from './decide-job.ts'
import type { Tool } from './define-tool.ts'
import { deleteJobs } from './delete-jobs.ts'
import { exportJobs } from './export-jobs.ts'
import { jobLogs } from './job-logs.ts'
import { jobResult } from './job-result.ts'
import { jobStatus } from './job-status.ts'
import { listJobTypes } from './list-job-types.ts'
import { listJobs } from './list-jobs.ts'
import { listSchedules } from './list-schedules.ts'
import { listUnits } from './list-units.ts'
import { pauseJob } from './pause-job.ts'
import { queueStatus } from './queue-status.ts'
import { removeSchedule } from './remove-schedule.ts'
import { rerunJob } from './rerun-job.ts'
import { resumeJob } from './resume-job.ts'
import { scheduleJob } from './schedule-job.ts'
import { sendInput } from './send-input.ts'
import { submitJob } from './submit-job.ts'
import { updateJob } from './update-job.ts'
import { waitForJobs } from './wait-for-jobs.ts'
import { whatsNew } from './whats-new.ts'

/** Every tool, in the order in which clients list them. */
export const tools: readonly Tool[] = [
  submitJob,
  jobStatus,
  waitForJobs,
  whatsNew,
  listJobs,
  listUnits,
  jobLogs,
  jobResult,
  decideJob,
  cancelJob,
  pauseJob,
  resumeJob,
  rerunJob,
  updateJob,
  addUnits,
  sendInput,
  scheduleJob,
  listSchedules,
  removeSchedule,
  listJobTypes,
  queueStatus,
  exportJobs,
  deleteJobs,
]
