import type { GpuFleet, GpuNeed } from '../domain/ports/remote-executor.ts'
import type { GpuWorkerEntry } from '../domain/wire/gpu.ts'
import type { CogClient } from './cog-client.ts'
import type { WorkerClient, WorkerFault } from './worker-client.ts'

/** A place at a worker that counts as taken until it is released; releasing twice is harmless. */
export interface Reservation {
  readonly worker: string
  /** `full`: `clientOf` speaks to it; `cog`: `cogClientOf` does. */
  readonly mode: 'full' | 'cog'
  release(): void
}

/** What attempts need of the fleet. */
export interface FleetAccess extends GpuFleet {
  /**
   * Takes a place at the best worker for it: breaker closed, serves type and version, hardware GPU with that much memory unless
   * its entry allows the processor, most free places first.
   * @param exclude workers that were tried already
   */
  reserve(need: GpuNeed, exclude: ReadonlySet<string>): Reservation | null
  /** Counts an attempt that runs there already (adoption). It works for a worker that is not configured any more, too. */
  occupy(worker: string): Reservation
  /** Null: no such worker is configured, or its entry cannot be used. Ask at each step: it changes with the configuration. */
  clientOf(worker: string): WorkerClient | null
  /** Null: no such worker is configured, or it is not a plain Cog server. */
  cogClientOf(worker: string): CogClient | null
  /** Null: no such worker is configured. */
  entryOf(worker: string): GpuWorkerEntry | null
  /** Tells the breaker, and everybody who asks, what a request of an attempt gave. Faults that prove a living worker close nothing. */
  reportFault(worker: string, fault: WorkerFault): void
  reportSuccess(worker: string): void
}
