import { randomUUID } from 'node:crypto'
import type { Logger } from 'pino'
import type { StatePaths } from '../config/paths.ts'
import type { Clock } from '../domain/clock.ts'
import type { OpenAttemptLog } from '../domain/ports/attempt-log.ts'
import type { GpuFleet, RemoteExecutor } from '../domain/ports/remote-executor.ts'
import { createRemoteExecutor } from './attempts/remote-executor.ts'
import { defaultAttemptTimings } from './attempts/timings.ts'
import { createGpuFleet } from './fleet/create-fleet.ts'

export interface GpuClientOptions {
  readonly paths: Pick<StatePaths, 'gpuWorkers' | 'gpuBreakers'>
  /** Of an attempt at a worker that hears nothing of this manager. */
  readonly leaseMs: number
  readonly clock: Clock
  readonly openLog: OpenAttemptLog
  readonly log: Logger
}

/** The GPU workers of one state directory, and what runs attempts there. */
export function createGpuClient(options: GpuClientOptions): {
  readonly fleet: GpuFleet
  readonly executor: RemoteExecutor
} {
  const { paths, leaseMs, clock, openLog, log } = options
  const fleet = createGpuFleet({ paths, clock, warn: (message) => log.warn(message) })
  const executor = createRemoteExecutor({
    fleet,
    openLog,
    clock,
    random: Math.random,
    createId: randomUUID,
    log,
    leaseSeconds: Math.max(1, Math.round(leaseMs / 1000)),
    // A lease is renewed by asking: several times in each.
    timings: {
      ...defaultAttemptTimings,
      pollFirstMs: Math.min(defaultAttemptTimings.pollFirstMs, leaseMs / 5),
      pollLastMs: Math.min(defaultAttemptTimings.pollLastMs, leaseMs / 4),
    },
  })
  return { fleet, executor }
}
