import type { ErrorRecord } from '../errors.ts'
import type { Fence, Json, JsonObject } from '../job.ts'
import type { GpuWorkerEntry, GpuWorkerStatus, GpuWorkerTest } from '../wire/gpu.ts'
import type { Device } from '../wire/prediction.ts'
import type { AttemptControl, AttemptObserver } from './attempt.ts'

/** Where to go on from, and in which form it was written. */
export interface Checkpoint {
  /** Null: by code that declared none. */
  readonly format: string | null
  readonly state: Json
}

/** What a unit needs of a worker. */
export interface GpuNeed {
  readonly type: string
  readonly version: string
  /** MB; null: any. */
  readonly gpuMemoryMegabytes: number | null
  readonly pure: boolean
}

/** One unit, for a worker. Lengths in ms. */
export interface RemoteTask extends GpuNeed {
  readonly fence: Fence
  readonly jobId: string
  readonly params: JsonObject
  /** Undefined: a plain job has none. */
  readonly unit: Json | undefined
  readonly position: number
  readonly dependencies: JsonObject
  readonly checkpoint: Checkpoint | null
  /** What the handler declares; a checkpoint in another one is not handed over. */
  readonly checkpointFormat: string
  readonly onLeaseEnd: 'finish' | 'cancel'
  /** Of a job that would rather run on a GPU; null: it must, so that nothing falls back. */
  readonly fallback: 'after_lease' | 'immediate' | null
  readonly unitTimeoutMs: number | null
  readonly idleTimeoutMs: number | null
  readonly cancelGraceMs: number
  readonly maxOutputBytes: number
  /** Awake ms already used by this attempt (adoption). */
  readonly elapsedMs: number
  /** Attempts of the unit before this one that a restart of their worker ended. */
  readonly earlierRestarts: number
  /** Of the attempt; made when needed. Its log and its artifacts go there, as those of local attempts do. */
  readonly directory: string
}

/** Committed before the first request leaves, so that whoever comes next asks for it instead of beginning anew. */
export interface RemoteIdentity {
  readonly worker: string
  readonly remoteId: string
}

export interface RemoteObserver extends AttemptObserver {
  /** Resolves when it is committed. @returns false when the attempt is not this manager's any more: nothing may be sent */
  offering(remote: RemoteIdentity): Promise<boolean>
  /** What computes it, as the worker says. */
  computesOn(device: Device): void
  /** Resolves when it is committed; @returns false when the fence refused it */
  checkpointed(checkpoint: Checkpoint): Promise<boolean>
}

/** Runs attempts on GPU workers. An attempt has one remote id for all its life. */
export interface RemoteExecutor {
  /** Never throws: what goes wrong is told through `ended`. */
  start(task: RemoteTask, observer: RemoteObserver): AttemptControl
  /** Takes over an attempt of an earlier manager; asks the worker before it judges. `remote` null: nothing was ever sent. */
  adopt(task: RemoteTask, remote: RemoteIdentity | null, observer: RemoteObserver): AttemptControl
  /** The ends of these attempts are committed: their workers may forget them. */
  acknowledge(fences: readonly Fence[]): void
  /** Stops asking; everything goes on at the workers, and the next manager asks for it. */
  detach(): void
}

export type GpuOutlook =
  /** A worker would take one more now. */
  | { readonly kind: 'ready' }
  /** Workers are being asked; it is known soon. */
  | { readonly kind: 'checking' }
  /** A worker serves it, and has no place. */
  | { readonly kind: 'busy'; readonly error: ErrorRecord }
  /** None is reachable, serves it or has such a GPU. */
  | { readonly kind: 'unavailable'; readonly error: ErrorRecord }

/** What is known of the GPU workers. Synchronous answers are as of the last look; looks happen only while they are wanted. */
export interface GpuFleet {
  /** False: there is no worker at all. */
  isConfigured(): boolean
  /** So many more attempts would be taken now. */
  placesFor(need: GpuNeed): number
  outlookOf(need: GpuNeed): GpuOutlook
  /** Units with these needs wait: workers are looked at every few seconds until this is empty. */
  want(needs: readonly GpuNeed[]): void
  /** Called when any answer above may have changed. */
  onChange(listener: () => void): void
  status(): readonly GpuWorkerStatus[]
  /** Connects and tells what each step gave. @throws QueueError invalid_input when there is no such worker */
  test(name: string | null): Promise<readonly GpuWorkerTest[]>
  /** @throws QueueError invalid_input for an entry that cannot be used; says what is wrong and what to do */
  add(name: string, entry: GpuWorkerEntry): Promise<void>
  /** @throws QueueError invalid_input when there is no such worker */
  remove(name: string): Promise<void>
  close(): Promise<void>
}
