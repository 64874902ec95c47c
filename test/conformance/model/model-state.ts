import type { ErrorRecord } from '../../../src/domain/errors.ts'
import type {
  FailureBudget,
  Job,
  JobOptions,
  Json,
  JsonObject,
  KeyLimits,
  Progress,
  RunnerIdentity,
} from '../../../src/domain/job.ts'
import type { ArtifactFacts } from '../../../src/domain/ports/attempt.ts'
import type { EventRecord, Watermark } from '../../../src/domain/ports/event-store.ts'
import type { GpuHistory } from '../../../src/domain/ports/gpu-store.ts'
import type { PruningRecord } from '../../../src/domain/ports/history-store.ts'
import type { Dependency, JobPayload, WorkerRecord } from '../../../src/domain/ports/job-store.ts'
import type { Lane, LaneHold, Queue } from '../../../src/domain/ports/lane-store.ts'
import type { RemoteIdentity } from '../../../src/domain/ports/remote-executor.ts'
import type { Schedule, ScheduleRun } from '../../../src/domain/ports/schedule-store.ts'
import type { NewSource } from '../../../src/domain/ports/source-store.ts'
import type { NewTask, Task } from '../../../src/domain/ports/task-store.ts'
import type {
  AttemptOutcome,
  CancelReason,
  ExecutorKind,
  JobState,
  Priority,
  UnitState,
} from '../../../src/domain/states.ts'
import type { GpuPreference } from '../../../src/domain/wire/gpu.ts'

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
  holdKind: 'review' | 'permission' | null
  decision: 'approved' | 'rejected' | null
  sealedAt: number | null
  keepOpen: boolean
  testUnits: number | null
  keyLimits: KeyLimits | null
  failureBudget: FailureBudget
  finalStep: 'waiting' | 'running' | 'done' | null
  finalStepSaid: JobPayload['finalStep']
  scheduleId: string | null
  gpu: GpuPreference
  gpuWaitsSince: number | null
  context: Json
  workHash: string | null
  dependencies: ModelDependency[]
  openDependencies: number
  elapsedMs: number
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
  key: string | null
  limitKey: string | null
  finalStep: boolean
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
  /** State as text; null: none. */
  checkpoint: { text: string; format: string | null } | null
  /** It waits for a GPU worker, or runs on one. */
  forGpu: boolean
  /** Null: nothing came of a GPU worker. */
  gpuHistory: GpuHistory | null
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
  outputBytes: number
  droppedBytes: number
  runner: RunnerIdentity | null
  remote: RemoteIdentity | null
  device: string | null
  fallbackReason: ErrorRecord | null
  artifacts: ArtifactFacts[]
}

export interface ModelWorker extends WorkerRecord {
  leaseExpiresAt: number
  stoppedAt: number | null
}

export type ModelDependency = { -readonly [Field in keyof Dependency]: Dependency[Field] }

export interface ModelSource {
  readonly seq: number
  readonly jobId: string
  readonly source: NewSource
  cursor: number
  added: number
  skipped: number
  isDone: boolean
}

export interface ModelTask {
  readonly asked: NewTask
  /** Those that there were. */
  readonly jobIds: readonly string[]
  cancelledAt: number | null
  settledAt: number | null
  outcome: Task['outcome']
}

/** What the running manager is told of with `takeConsequences`. */
export interface ModelNotes {
  jobs: Set<string>
  /** Job id to limit keys. */
  lanes: Map<string, Set<string | null>>
  queues: Set<string>
  stops: Set<string>
  settled: Job[]
  feed: boolean
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
  queues: Map<string, Queue>
  /** Oldest first. */
  sources: ModelSource[]
  laneHolds: LaneHold[]
  laneStarts: (Lane & { startedAt: number })[]
  notes: ModelNotes
  schedules: Schedule[]
  tasks: ModelTask[]
  scheduleRuns: { run: ScheduleRun; eventId: number }[]
  /** By work hash. */
  durations: Map<string, { samples: number[]; updatedAt: number }>
  /** Ids of jobs whose deletion has begun. */
  leaving: Set<string>
  /** Oldest first. */
  pruning: PruningRecord[]
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
    queues: new Map(),
    sources: [],
    laneHolds: [],
    laneStarts: [],
    notes: emptyNotes(),
    schedules: [],
    tasks: [],
    scheduleRuns: [],
    durations: new Map(),
    leaving: new Set(),
    pruning: [],
  }
}

export function emptyNotes(): ModelNotes {
  return { jobs: new Set(), lanes: new Map(), queues: new Set(), stops: new Set(), settled: [], feed: false }
}
