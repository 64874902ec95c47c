import type { Clock } from '../../domain/clock.ts'
import type { WorkerTimeouts } from '../http/timeouts.ts'
import type { KeySources } from '../keys.ts'
import type { FleetPace } from './pace.ts'

/** What all workers of a fleet share. */
export interface FleetContext {
  readonly clock: Clock
  /** In [0, 1). */
  readonly random: () => number
  readonly timeouts: WorkerTimeouts
  readonly pace: FleetPace
  readonly keySources: KeySources
  /** Something that is told of workers may be another now. */
  readonly changed: () => void
  /** The state of a breaker is another one. */
  readonly breakerChanged: () => void
  readonly closing: AbortSignal
}
