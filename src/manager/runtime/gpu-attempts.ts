import type { Logger } from 'pino'
import type { StatePaths } from '../../config/paths.ts'
import { attemptDirectory } from '../../config/paths.ts'
import { QueueError } from '../../domain/errors.ts'
import type { AvailableHandler } from '../../domain/handler-info.ts'
import type { Fence, Job, JsonObject } from '../../domain/job.ts'
import type { HeldUnit, JobPayload, JobStore } from '../../domain/ports/job-store.ts'
import type { GpuNeed, RemoteExecutor, RemoteObserver, RemoteTask } from '../../domain/ports/remote-executor.ts'
import type { Device } from '../../domain/wire/prediction.ts'
import type { AttemptStarter, Beginning } from './attempt-starter.ts'
import { limitsOf, unitValue } from './command-task.ts'
import type { CommitQueue } from './commit-queue.ts'
import type { DependencyValues } from './dependency-values.ts'

export interface GpuAttemptsOptions {
  readonly store: JobStore
  readonly commits: CommitQueue
  readonly executor: RemoteExecutor
  readonly dependencies: DependencyValues
  readonly handlerOf: (type: string) => AvailableHandler | null
  readonly paths: StatePaths
  readonly log: Logger
}

/** @returns what units of a handler need of a GPU worker */
export function gpuNeedOf({ info }: AvailableHandler): GpuNeed {
  const { type, version, gpu_memory_megabytes: gpuMemoryMegabytes, pure } = info
  return { type, version, gpuMemoryMegabytes, pure }
}

/**
 * Begins units at GPU workers. What the executor must not do before it is durable (send, go on from a checkpoint) waits for a
 * commit here.
 */
export class GpuAttempts implements AttemptStarter {
  readonly #options: GpuAttemptsOptions

  constructor(options: GpuAttemptsOptions) {
    this.#options = options
  }

  start(job: Job, payload: JobPayload, beginnings: readonly Beginning[]): void {
    const { executor } = this.#options
    for (const beginning of beginnings) {
      const task = this.#task(job, payload, beginning, 0)
      beginning.began(executor.start(task, this.#observer(beginning)))
    }
  }

  adopt(held: HeldUnit, payload: JobPayload, beginning: Beginning): void {
    const task = this.#task(held.job, payload, beginning, held.elapsedMs)
    beginning.began(this.#options.executor.adopt(task, held.remote, this.#observer(beginning)))
  }

  acknowledge(fences: readonly Fence[]): void {
    this.#options.executor.acknowledge(fences)
  }

  detach(): void {
    this.#options.executor.detach()
  }

  /** @throws QueueError handler_unavailable */
  #task(job: Job, payload: JobPayload, { unit, fence }: Beginning, elapsedMs: number): RemoteTask {
    const { store, dependencies, handlerOf, paths } = this.#options
    const handler = handlerOf(job.type)
    if (handler === null)
      throw new QueueError('handler_unavailable', `the handler of "${job.type}" is not there any more, or is broken`)
    const { info } = handler
    const gpu = payload.options.gpu
    return {
      ...gpuNeedOf(handler),
      fence,
      jobId: job.id,
      params: payload.params,
      unit: unitValue(job, unit, store.readUnitInputs([unit.id]).get(unit.id) ?? null),
      position: unit.position,
      dependencies: Object.fromEntries(dependencies.of(job)) as JsonObject,
      checkpoint: store.readCheckpoints([unit.id]).get(unit.id) ?? null,
      checkpointFormat: info.checkpoint_format,
      onLeaseEnd: info.on_lease_end,
      fallback: gpu === undefined || gpu.preference === 'require' || gpu.fallback === 'never' ? null : gpu.fallback,
      ...limitsOf(payload.options),
      elapsedMs,
      earlierRestarts: store.readGpuHistory([unit.id]).get(unit.id)?.restarts ?? 0,
      directory: attemptDirectory(paths, fence),
    }
  }

  #observer({ fence, observer }: Beginning): RemoteObserver {
    const { store, commits, log } = this.#options
    return {
      started: (runner) => observer.started(runner),
      progressed: (progress) => observer.progressed(progress),
      ended: (end) => observer.ended(end),
      offering: (remote) => commits.run(() => store.recordRemoteIfHeld(fence, remote)),
      computesOn: (device) => {
        void commits
          .run(() => store.recordDeviceIfHeld(fence, device.name, modeOf(device)))
          .catch((error: unknown) => log.warn({ err: error, unit: fence.unitId }, 'its device could not be recorded'))
      },
      checkpointed: (checkpoint) => commits.run(() => store.recordCheckpointIfHeld(fence, checkpoint)),
    }
  }
}

/** `gpu` is for hardware alone; an adapter that imitates one computes on a processor. */
function modeOf({ kind }: Device): string {
  return kind === 'gpu' ? 'gpu' : 'remote (cpu)'
}
