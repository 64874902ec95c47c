import { cancelJob } from './cancel-job.ts'
import type { Tool } from './define-tool.ts'
import { jobLogs } from './job-logs.ts'
import { jobResult } from './job-result.ts'
import { jobStatus } from './job-status.ts'
import { listJobTypes } from './list-job-types.ts'
import { listJobs } from './list-jobs.ts'
import { queueStatus } from './queue-status.ts'
import { rerunJob } from './rerun-job.ts'
import { submitJob } from './submit-job.ts'
import { waitForJobs } from './wait-for-jobs.ts'
import { whatsNew } from './whats-new.ts'

/** Every tool, in the order in which clients list them. */
export const tools: readonly Tool[] = [
  submitJob,
  jobStatus,
  waitForJobs,
  whatsNew,
  listJobs,
  jobLogs,
  jobResult,
  cancelJob,
  rerunJob,
  listJobTypes,
  queueStatus,
]
