import type { StatePaths } from '../../config/paths.ts'
import type { Clock } from '../../domain/clock.ts'
import type { FleetAccess } from '../fleet-access.ts'
import { defaultTimeouts, type WorkerTimeouts } from '../http/timeouts.ts'
import { type KeySources, systemKeySources } from '../keys.ts'
import { Fleet } from './fleet.ts'
import { defaultPace, type FleetPace } from './pace.ts'

export interface FleetOptions {
  readonly paths: Pick<StatePaths, 'gpuWorkers' | 'gpuBreakers'>
  readonly clock: Clock
  /** Told in words for the log what goes wrong on the side. */
  readonly warn: (message: string) => void
  /** In [0, 1); for jitter. */
  readonly random?: () => number
  readonly timeouts?: Partial<WorkerTimeouts>
  readonly pace?: Partial<FleetPace>
  readonly keySources?: KeySources
}

/** Everything known of the GPU workers of one state directory. Asks nobody until something is wanted. */
export function createGpuFleet(options: FleetOptions): FleetAccess {
  return new Fleet({
    ...options,
    random: options.random ?? Math.random,
    timeouts: { ...defaultTimeouts, ...options.timeouts },
    pace: { ...defaultPace, ...options.pace },
    keySources: options.keySources ?? systemKeySources,
  })
}
