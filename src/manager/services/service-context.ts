import type { Settings } from '../../config/settings.ts'
import type { Clock } from '../../domain/clock.ts'
import type { CommandExecutor } from '../../domain/ports/executor.ts'
import type { HistoryReader } from '../../domain/ports/history-reader.ts'
import type { JobStore } from '../../domain/ports/job-store.ts'
import type { GpuFleet } from '../../domain/ports/remote-executor.ts'
import type { ThreadExecutor } from '../../domain/ports/thread-executor.ts'
import type { AttemptSupervisor } from '../runtime/attempt-supervisor.ts'
import type { CommitQueue } from '../runtime/commit-queue.ts'
import type { Dispatcher } from '../runtime/dispatcher.ts'
import type { EventHub } from '../runtime/event-hub.ts'
import type { FaultPoint } from '../runtime/fault-points.ts'
import type { JobClock } from '../runtime/job-clock.ts'
import type { JobDeletion } from '../runtime/job-deletion.ts'
import type { StorageGuard } from '../runtime/storage-guard.ts'
import type { Throughput } from '../runtime/throughput.ts'
import type { JobTypeRegistry } from './job-type-registry.ts'

/** Facts of this manager that are fixed while it lives. */
export interface ManagerFacts {
  readonly instanceId: string
  readonly version: string
  readonly pid: number
  readonly epoch: number
  readonly startedAt: number
  readonly home: string
  /** Name of the OS user; whats_new keeps a mark per person. */
  readonly user: string
  readonly deathsFile: string
}

/** Everything a use case may touch; built once by the composition root. */
export interface ServiceContext {
  readonly store: JobStore
  readonly commits: CommitQueue
  readonly clock: Clock
  readonly settings: Settings
  readonly supervisor: AttemptSupervisor
  readonly dispatcher: Dispatcher
  readonly executor: CommandExecutor
  /** Runs handlers. */
  readonly threads: ThreadExecutor
  readonly jobTypes: JobTypeRegistry
  /** The GPU workers. */
  readonly fleet: GpuFleet
  readonly events: EventHub
  readonly storage: StorageGuard
  /** Feeds units of sources; to be woken when one was added. */
  readonly feeder: { wake(): void }
  /** Total timeouts. */
  readonly jobClock: JobClock
  /** Time left of jobs with several units. */
  readonly throughput: Throughput
  /** Fires schedules; to be woken when one changed. */
  readonly scheduler: { wake(): void }
  /** Deletes finished jobs with their files. */
  readonly deletion: JobDeletion
  /** Heavy reads, off the manager's own thread. */
  readonly reader: HistoryReader
  readonly facts: ManagerFacts
  readonly createId: () => string
  readonly faultPoint: FaultPoint
  /** Asks the process to stop; answers at once. */
  readonly requestStop: (request: {
    drainMs: number
    running: 'leave' | 'release'
    reason: 'user' | 'handover'
  }) => void
  readonly isDraining: () => boolean
  /** Aborted right before the connections are closed. */
  readonly closing: AbortSignal
}
