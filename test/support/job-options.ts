import type { JobOptions } from '../../src/domain/job.ts'
import { defaultBackoff } from '../../src/domain/retry-policy.ts'

/** Options of a job as a client leaves them. */
export const jobOptions: JobOptions = {
  backoff: defaultBackoff,
  unitTimeoutMs: null,
  idleTimeoutMs: null,
  totalTimeoutMs: null,
  cancelGraceMs: 0,
  maxOutputBytes: 4096,
  rerunWhenLost: true,
  retry: { exitCode: true, timeout: true, onlyExitCodes: null, rejectedExitCodes: [] },
  rateLimit: null,
  unitKey: null,
  limitKey: null,
}
