import { setTimeout as sleep } from 'node:timers/promises'
import { attemptDirectory, type StatePaths } from '../config/paths.ts'
import type { Clock } from '../domain/clock.ts'
import type { RunnerIdentity } from '../domain/job.ts'
import type { CommandExecutor } from '../domain/ports/executor.ts'
import { adoptCommand } from './adopt-command.ts'
import type { ExecutorContext, ExecutorLog, RunnerFaultPoint } from './executor-context.ts'
import { createLiveAttempt, type LiveAttempt } from './live-attempt.ts'
import { readOutput } from './output-reader.ts'
import { createProcessScanner } from './process-scanner.ts'
import type { ProcessTable } from './process-table.ts'
import { startCommand } from './start-command.ts'
import { createSystemProcessTable } from './system-process-table.ts'
import { createTicker } from './ticker.ts'

const adoptRetryMs = 1_000

export interface CommandExecutorOptions {
  readonly paths: StatePaths
  /** Id of this state; part of the mark that every process of a command carries. */
  readonly instanceId: string
  readonly clock: Clock
  /** Absolute path of a POSIX shell; it runs the command runner. */
  readonly shell: string
  readonly bootId: string
  readonly log: ExecutorLog
  /** Called at named places; a no-op in production. */
  readonly faultPoint?: (name: RunnerFaultPoint) => void
  readonly processTable?: ProcessTable
  /** This process by default; it and its process group are never signalled. */
  readonly managerPid?: number
  /** umask of the commands; that of this process by default. */
  readonly commandUmask?: number
}

/** Runs commands outside the manager, under detached runners that survive it (DESIGN §2, §7, §10.1–10.5). */
export function createCommandExecutor(options: CommandExecutorOptions): CommandExecutor {
  const table = options.processTable ?? createSystemProcessTable()
  const ticker = createTicker((error) => options.log.error({ err: error }, 'cannot look after a command; trying again'))
  let detached = false
  const context: ExecutorContext = {
    paths: options.paths,
    instanceId: options.instanceId,
    clock: options.clock,
    shell: options.shell,
    bootId: options.bootId,
    log: options.log,
    faultPoint: options.faultPoint ?? (() => undefined),
    table,
    scanner: createProcessScanner(table),
    ticker,
    managerPid: options.managerPid ?? process.pid,
    commandUmask: (options.commandUmask ?? process.umask()).toString(8).padStart(4, '0'),
    detached: () => detached,
  }

  return {
    start(task, observer) {
      const attempt = createLiveAttempt(context, task, observer)
      void startCommand(context, task, attempt)
      return attempt.command
    },

    adopt(task, runner, observer) {
      const attempt = createLiveAttempt(context, task, observer)
      void adoptAtLast(context, attempt, runner)
      return attempt.command
    },

    readOutput: (fence, request) => readOutput(attemptDirectory(options.paths, fence), request),

    detach() {
      detached = true
      ticker.stop()
    },
  }
}

/** An error while it is looked at says nothing of the command: it is looked at again. */
async function adoptAtLast(
  context: ExecutorContext,
  attempt: LiveAttempt,
  runner: RunnerIdentity | null,
): Promise<void> {
  while (!context.detached()) {
    try {
      return await adoptCommand(context, attempt, runner)
    } catch (error) {
      context.log.error({ directory: attempt.directory, err: error }, 'cannot take over a command now; trying again')
      await sleep(adoptRetryMs)
    }
  }
}
