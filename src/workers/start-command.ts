import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { QueueError, toErrorRecord } from '../domain/errors.ts'
import type { CommandEnd, CommandTask, StopReason } from '../domain/ports/executor.ts'
import { attemptFiles, errorCode, writeStarted } from './attempt-files.ts'
import type { ExecutorContext } from './executor-context.ts'
import { launchRunner } from './launch-runner.ts'
import type { LiveAttempt } from './live-attempt.ts'
import { refusalOf, resolveProgram } from './program.ts'

/** Prepares the attempt directory, checks the command, and starts its runner. Every failure becomes an end. */
export async function startCommand(context: ExecutorContext, task: CommandTask, attempt: LiveAttempt): Promise<void> {
  try {
    const program = await prepare(context, task, attempt.directory)
    if (context.detached()) return
    const reason = attempt.stopReason()
    if (reason !== null) return concludeUnstarted(attempt, reason)
    context.faultPoint('runner.before_spawn')
    const child = await launchRunner(context, task, attempt.mark, attempt.directory, program)
    const pid = child.pid ?? 0
    // Read before the event loop may reap it: even a runner that died at once is still there as an entry.
    const startTime = context.table.find(pid)?.startTime ?? 'unknown'
    context.faultPoint('runner.after_spawn')
    attempt.watchOwn(child, { pid, startTime, bootId: context.bootId })
  } catch (error) {
    const refusal = error instanceof QueueError ? error : refusalOf(error, task.spec, context.shell)
    attempt.conclude(async ({ elapsedMs }): Promise<CommandEnd> => {
      if (refusal !== null) return { kind: 'not_started', error: toErrorRecord(refusal), elapsedMs: elapsedMs() }
      const message = `no process could be started now (${errorCode(error)}: ${(error as Error).message})`
      return { kind: 'released', message, elapsedMs: elapsedMs() }
    })
  }
}

/** Stopped before its process existed. */
function concludeUnstarted(attempt: LiveAttempt, reason: StopReason): void {
  attempt.conclude(async ({ elapsedMs }) => ({
    kind: 'stopped',
    reason,
    survivors: [],
    elapsedMs: elapsedMs(),
    output: { bytes: 0, droppedBytes: 0, tail: '' },
  }))
}

async function prepare(context: ExecutorContext, task: CommandTask, directory: string): Promise<string> {
  const program = resolveProgram(task.spec)
  const files = prepareFiles(context, task, directory)
  // Both are awaited, so that none fails unheard.
  const [found] = await Promise.allSettled([program, files])
  if (found.status === 'rejected') throw found.reason
  await files
  return found.value
}

async function prepareFiles(context: ExecutorContext, task: CommandTask, directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const { stdin } = task.spec
  const startedAt = context.clock.monotonic() - task.elapsedMs
  await writeStarted(directory, startedAt, context.bootId)
  if (stdin !== null) await writeFile(join(directory, attemptFiles.stdin), stdin, { mode: 0o600 })
}
