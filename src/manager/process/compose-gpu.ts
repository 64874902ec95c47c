import { existsSync } from 'node:fs'
import type { Logger } from 'pino'
import type { StatePaths } from '../../config/paths.ts'
import type { Clock } from '../../domain/clock.ts'
import { QueueError } from '../../domain/errors.ts'
import type { Fence } from '../../domain/job.ts'
import type { AttemptControl } from '../../domain/ports/attempt.ts'
import type {
  GpuFleet,
  GpuNeed,
  GpuOutlook,
  RemoteExecutor,
  RemoteIdentity,
  RemoteObserver,
  RemoteTask,
} from '../../domain/ports/remote-executor.ts'
import type { GpuWorkerEntry, GpuWorkerStatus, GpuWorkerTest } from '../../domain/wire/gpu.ts'

export interface GpuOptions {
  readonly paths: StatePaths
  /** At least a second. */
  readonly leaseMs: number
  readonly clock: Clock
  readonly log: Logger
}

interface Loaded {
  readonly fleet: GpuFleet
  readonly executor: RemoteExecutor
}

/**
 * The GPU workers and what runs attempts there, loaded when the first of them is needed: most managers never ask one, and each
 * start would pay for the HTTP client.
 */
export class GpuToCome implements GpuFleet, RemoteExecutor {
  readonly #options: GpuOptions
  readonly #listeners: (() => void)[] = []
  #loading: Promise<Loaded> | null = null
  #loaded: Loaded | null = null
  #wanted: readonly GpuNeed[] = []

  constructor(options: GpuOptions) {
    this.#options = options
  }

  /** Before the first `adopt`, when there is anything to adopt. */
  async load(): Promise<Loaded> {
    this.#loading ??= this.#load()
    return this.#loading
  }

  isConfigured(): boolean {
    return this.#loaded?.fleet.isConfigured() ?? existsSync(this.#options.paths.gpuWorkers)
  }

  placesFor(need: GpuNeed): number {
    return this.#loaded?.fleet.placesFor(need) ?? 0
  }

  outlookOf(need: GpuNeed): GpuOutlook {
    return this.#loaded?.fleet.outlookOf(need) ?? { kind: 'checking' }
  }

  want(needs: readonly GpuNeed[]): void {
    this.#wanted = needs
    if (this.#loaded !== null) this.#loaded.fleet.want(needs)
    else if (needs.length > 0) this.#loadSoon()
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener)
  }

  status(): readonly GpuWorkerStatus[] {
    if (this.#loaded === null && this.isConfigured()) this.#loadSoon()
    return this.#loaded?.fleet.status() ?? []
  }

  async test(name: string | null): Promise<readonly GpuWorkerTest[]> {
    return (await this.load()).fleet.test(name)
  }

  async add(name: string, entry: GpuWorkerEntry): Promise<void> {
    await (await this.load()).fleet.add(name, entry)
  }

  async remove(name: string): Promise<void> {
    await (await this.load()).fleet.remove(name)
  }

  async close(): Promise<void> {
    await this.#loaded?.fleet.close()
  }

  start(task: RemoteTask, observer: RemoteObserver): AttemptControl {
    return this.#executor().start(task, observer)
  }

  adopt(task: RemoteTask, remote: RemoteIdentity | null, observer: RemoteObserver): AttemptControl {
    return this.#executor().adopt(task, remote, observer)
  }

  acknowledge(fences: readonly Fence[]): void {
    this.#loaded?.executor.acknowledge(fences)
  }

  detach(): void {
    this.#loaded?.executor.detach()
  }

  /** Places are only told of once it is loaded, so that nothing begins before. */
  #executor(): RemoteExecutor {
    if (this.#loaded === null)
      throw new QueueError('internal', 'an attempt at a GPU worker was begun before its client')
    return this.#loaded.executor
  }

  #loadSoon(): void {
    this.load().catch((error: unknown) => {
      this.#loading = null
      this.#options.log.error({ err: error }, 'the client of the GPU workers could not be loaded')
    })
  }

  async #load(): Promise<Loaded> {
    const { createGpuClient } = await import('../../gpu-client/create-gpu-client.ts')
    const { openAttemptLog } = await import('../../workers/attempt-log.ts')
    const loaded = createGpuClient({ ...this.#options, openLog: openAttemptLog })
    loaded.fleet.onChange(() => {
      for (const listener of this.#listeners) listener()
    })
    this.#loaded = loaded
    loaded.fleet.want(this.#wanted)
    for (const listener of this.#listeners) listener()
    return loaded
  }
}
