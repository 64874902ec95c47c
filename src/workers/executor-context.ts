import type { StatePaths } from '../config/paths.ts'
import type { Clock } from '../domain/clock.ts'
import type { ProcessScanner } from './process-scanner.ts'
import type { ProcessTable } from './process-table.ts'
import type { Ticker } from './ticker.ts'

/** Places at which tests kill the manager; nothing happens there in production. */
export type RunnerFaultPoint = 'runner.before_spawn' | 'runner.after_spawn' | 'runner.exit_seen'

export interface ExecutorLog {
  debug(details: object, message: string): void
  warn(details: object, message: string): void
  error(details: object, message: string): void
}

/** What all commands of one executor share. */
export interface ExecutorContext {
  readonly paths: StatePaths
  readonly instanceId: string
  readonly clock: Clock
  readonly shell: string
  readonly bootId: string
  readonly log: ExecutorLog
  readonly faultPoint: (name: RunnerFaultPoint) => void
  readonly table: ProcessTable
  readonly scanner: ProcessScanner
  readonly ticker: Ticker
  readonly managerPid: number
  /** umask of the commands, octal text. */
  readonly commandUmask: string
  /** True: the next manager goes on; nothing is told or signalled any more. */
  readonly detached: () => boolean
}
