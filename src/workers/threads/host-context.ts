import type { StatePaths } from '../../config/paths.ts'
import type { Clock } from '../../domain/clock.ts'
import type { ExecutorLog } from '../executor-context.ts'
import type { ProcessScanner } from '../process-scanner.ts'
import type { ProcessTable } from '../process-table.ts'

export interface ThreadSettings {
  /** Of the one host for all but lonely attempts. */
  readonly threads: number
  /** Of one host process, buffers included. */
  readonly memoryBytes: number
  /** A thread that has not ended so long after it was told by force takes its host with it. */
  readonly terminateMs: number
  /** A host to which no manager comes ends itself after so long. */
  readonly unclaimedMs: number
}

/** How long the manager side waits for what; other values are for tests. */
export interface HostPace {
  /** A started host must listen. */
  readonly readyMs: number
  /** A host that listens must answer a hello. */
  readonly greetMs: number
  readonly pingMs: number
  /** A host with attempts that answers nothing is ended. */
  readonly silentMs: number
  /** A host that is alive must take a new connection after the old one broke. */
  readonly reconnectMs: number
  /** Beyond grace and forced end, how much later a host may say that an attempt has stopped. */
  readonly stopMs: number
  /** A lonely host without an attempt is ended. */
  readonly aloneIdleMs: number
  /** An attempt that a host does not have in two of its answers so far apart is lost. */
  readonly missingMs: number
}

export const defaultPace: HostPace = {
  readyMs: 30_000,
  greetMs: 2_000,
  pingMs: 5_000,
  silentMs: 30_000,
  reconnectMs: 10_000,
  stopMs: 5_000,
  aloneIdleMs: 10_000,
  missingMs: 10_000,
}

/** What all hosts of one executor share. */
export interface HostContext {
  readonly paths: StatePaths
  readonly instanceId: string
  readonly bootId: string
  readonly version: string
  readonly epoch: number
  readonly clock: Clock
  readonly settings: ThreadSettings
  readonly pace: HostPace
  readonly log: ExecutorLog
  readonly table: ProcessTable
  readonly scanner: ProcessScanner
  readonly managerPid: number
  /** The host's program. */
  readonly entry: string
  /** What a host gets beside its marks. */
  readonly environment: Readonly<Record<string, string>>
  /** True: the next manager goes on; nothing is told or signalled any more. */
  readonly detached: () => boolean
  /** True when a later manager leads: then no host is this one's to end. Asked before one is. */
  readonly isSuperseded: () => boolean
}
