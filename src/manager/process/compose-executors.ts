import { totalmem } from 'node:os'
import type { Logger } from 'pino'
import { managerEnvironment } from '../../client/launcher.ts'
import type { StatePaths } from '../../config/paths.ts'
import type { Settings } from '../../config/settings.ts'
import { version } from '../../config/version.ts'
import type { Clock } from '../../domain/clock.ts'
import type { CommandExecutor } from '../../domain/ports/executor.ts'
import type { ThreadExecutor } from '../../domain/ports/thread-executor.ts'
import { createCommandExecutor } from '../../workers/command-executor.ts'
import { createThreadExecutor } from '../../workers/threads/thread-executor.ts'
import type { FaultPoint } from '../runtime/fault-points.ts'

export interface ExecutorsOptions {
  readonly paths: StatePaths
  readonly settings: Settings
  readonly instanceId: string
  /** Of the processes that are this manager's to adopt. */
  readonly bootId: string
  readonly epoch: number
  readonly clock: Clock
  readonly log: Logger
  readonly faultPoint: FaultPoint
  readonly commandUmask: number
}

export interface Executors {
  readonly commands: CommandExecutor
  readonly threads: ThreadExecutor
}

/** Makes what runs attempts outside this process. */
export function composeExecutors(options: ExecutorsOptions): Executors {
  const { paths, settings, instanceId, bootId, epoch, clock, log, faultPoint, commandUmask } = options
  const shared = { paths, instanceId, bootId, clock, log }
  return {
    commands: createCommandExecutor({ ...shared, shell: settings.shell, faultPoint, commandUmask }),
    threads: createThreadExecutor({
      ...shared,
      version,
      epoch,
      environment: managerEnvironment(paths.home),
      settings: {
        threads: settings.threads,
        memoryBytes: Math.min(settings.host_memory, Math.floor(totalmem() / 2)),
        terminateMs: settings.terminate_wait,
        unclaimedMs: settings.host_wait,
      },
    }),
  }
}
