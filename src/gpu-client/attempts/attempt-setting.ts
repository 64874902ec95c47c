import type { Clock } from '../../domain/clock.ts'
import type { OpenAttemptLog } from '../../domain/ports/attempt-log.ts'
import type { FleetAccess } from '../fleet-access.ts'
import type { AttemptTimings } from './timings.ts'

export interface RemoteExecutorLog {
  debug(details: object, message: string): void
  warn(details: object, message: string): void
}

/** What attempts need of the fleet. */
export type AttemptFleet = Pick<
  FleetAccess,
  'reserve' | 'occupy' | 'clientOf' | 'cogClientOf' | 'entryOf' | 'reportFault' | 'reportSuccess' | 'outlookOf'
>

/** What all attempts of one executor share. */
export interface AttemptSetting {
  readonly fleet: AttemptFleet
  readonly openLog: OpenAttemptLog
  readonly clock: Clock
  /** From 0 up to 1. */
  readonly random: () => number
  /** A new UUID. */
  readonly createId: () => string
  readonly log: RemoteExecutorLog
  readonly leaseSeconds: number
  readonly timings: AttemptTimings
  /** Resolves after so many ms, or at once when the signal comes; never rejects. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
}
