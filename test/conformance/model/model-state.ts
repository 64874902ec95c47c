import type { ErrorRecord } from '../../../src/domain/errors.ts'
import type { JobOptions, Json, JsonObject, Progress, RunnerIdentity } from '../../../src/domain/job.ts'
import type { EventRecord, Watermark, WorkerRecord } from '../../../src/domain/ports/job-store.ts'
import type {
  AttemptOutcome,
  CancelReason,
  ExecutorKind,
  JobState,
  Priority,
  UnitState,
} from '../../../src/domain/states.ts'

export interface ModelJob {
  id: string
  seq: number
  type: string
  queue: string
  name: string
  labels: Record<string, string>
  params: JsonObject
  options: JobOptions
  priority: Priority
  runAt: number
  concurrency: number | null
  maxAttempts: number
  rerunOf: string | null
  submittedBy: string
  pausedAt: number | null
  frozenAt: number | null
  heldAt: number | null
  cancelRequestedAt: number | null
  cancelReason: CancelReason | null
  state: JobState
  error: ErrorRecord | null
  createdAt: number
  startedAt: number | null
  finishedAt: number | null
  settledEvent: number | null
}

export interface ModelUnit {
  id: string
  jobId: string
  position: number
  input: Json
  output: Json | null
  state: UnitState
  availableAt: number
  attempt: number
  nonce: string | null
  workerId: string | null
  failures: number
  crashes: number
  progress: { attempt: number; value: Progress } | null
  finishedAt: number | null
  attempts: ModelAttempt[]
}

export interface ModelAttempt {
  attempt: number
  nonce: string
  workerId: string
  executor: ExecutorKind
  mode: string
  outcome: AttemptOutcome
  startedAt: number
  finishedAt: number | null
  error: ErrorRecord | null
  exitCode: number | null
  elapsedMs: number
  runner: RunnerIdentity | null
}

export interface ModelWorker extends WorkerRecord {
  leaseExpiresAt: number
  stoppedAt: number | null
}

/** Everything the store keeps, as plain lists. */
export interface ModelState {
  epoch: number
  lastJobSeq: number
  lastEventId: number
  jobs: ModelJob[]
  /** In order of creation. */
  units: ModelUnit[]
  events: EventRecord[]
  keys: Map<string, { contentHash: string; jobId: string; createdAt: number }>
  workers: Map<string, ModelWorker>
  watermarks: Map<string, Watermark>
  pausedQueues: Set<string>
}

export function emptyState(): ModelState {
  return {
    epoch: 0,
    lastJobSeq: 0,
    lastEventId: 0,
    jobs: [],
    units: [],
    events: [],
    keys: new Map(),
    workers: new Map(),
    watermarks: new Map(),
    pausedQueues: new Set(),
  }
}
