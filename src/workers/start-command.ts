import type { ChildProcess } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { QueueError, toErrorRecord } from '../domain/errors.ts'
import type { AttemptEnd, StopReason } from '../domain/ports/attempt.ts'
import type { CommandTask } from '../domain/ports/executor.ts'
import { errorCode } from './attempt-access.ts'
import { attemptFiles, writeStarted } from './attempt-files.ts'
import type { ExecutorContext } from './executor-context.ts'
import { launchRunner, SpawnFailure } from './launch-runner.ts'
import type { LiveAttempt } from './live-attempt.ts'
import { refusalOf, resolveProgram } from './program.ts'

const identityPauseMs = 100

/** Prepares the attempt directory, checks the command, and starts its runner. Every failure becomes an end. */
export async function startCommand(context: ExecutorContext, task: CommandTask, attempt: LiveAttempt): Promise<void> {
  const child = await launch(context, task, attempt).catch((error: unknown) => {
    attempt.conclude(({ elapsedMs }) => Promise.resolve(endOfFailure(context, task, error, elapsedMs())))
    return null
  })
  if (child === null) return
  // From here on there is a process: nothing but its own end may be told.
  const startTime = await startTimeOf(context, child)
  context.faultPoint('runner.after_spawn')
  attempt.watchOwn(child, { pid: child.pid ?? 0, startTime, bootId: context.bootId })
}

/** @returns null when there is nothing to watch: stopped before, or the next manager goes on */
async function launch(context: ExecutorContext, task: CommandTask, attempt: LiveAttempt): Promise<ChildProcess | null> {
  const program = await prepare(context, task, attempt.directory)
  if (context.detached()) return null
  const reason = attempt.stopReason()
  if (reason !== null) {
    concludeUnstarted(attempt, reason)
    return null
  }
  context.faultPoint('runner.before_spawn')
  return launchRunner(context, task, attempt.mark, attempt.directory, program)
}

/** Only what refuses the process itself can be the command's fault; our own files never are. */
function endOfFailure(context: ExecutorContext, task: CommandTask, error: unknown, elapsedMs: number): AttemptEnd {
  const cause = error instanceof SpawnFailure ? error.cause : error
  const refusal =
    error instanceof QueueError
      ? error
      : error instanceof SpawnFailure
        ? refusalOf(error.cause, task.spec, context.shell)
        : null
  if (refusal !== null) return { kind: 'not_started', error: toErrorRecord(refusal), elapsedMs }
  const message = `no process could be started now (${errorCode(cause)}: ${(cause as Error).message})`
  return { kind: 'released', message, backOff: true, elapsedMs }
}

/** Read before the event loop may reap it: even a runner that died at once is still there as an entry. */
async function startTimeOf(context: ExecutorContext, child: ChildProcess): Promise<string> {
  while (child.exitCode === null && child.signalCode === null && !context.detached()) {
    try {
      return context.table.find(child.pid ?? 0)?.startTime ?? 'unknown'
    } catch (error) {
      context.log.warn({ pid: child.pid, err: error }, 'cannot read the start time of a runner; trying again')
      await sleep(identityPauseMs)
    }
  }
  return 'unknown'
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
  if (task.spec.interactive && process.platform === 'win32') {
    throw new QueueError('command_not_started', 'an interactive command cannot be run on Windows', {
      remedy: 'Submit it without params.interactive; what it is to read can be given as params.stdin.',
    })
  }
  const program = resolveProgram(task.spec)
  const files = prepareFiles(context, task, directory)
  // Both are awaited, so that none fails unheard.
  const [found] = await Promise.allSettled([program, files])
  if (found.status === 'rejected') throw found.reason
  await files
  return found.value
}

const ownNames: readonly string[] = Object.values(attemptFiles)
const fileName = /^\w[\w.-]{0,99}$/

/** @throws QueueError internal when a file's name is not its own; the system's error */
async function prepareFiles(context: ExecutorContext, task: CommandTask, directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const { stdin, interactive } = task.spec
  const startedAt = context.clock.monotonic() - task.elapsedMs
  await writeStarted(directory, startedAt, context.bootId)
  const write = (name: string, text: string) => writeFile(join(directory, name), text, { mode: 0o600 })
  if (stdin !== null) await write(attemptFiles.stdin, stdin)
  if (interactive) await write(attemptFiles.interactive, '')
  for (const { name, text } of task.files) {
    if (!fileName.test(name) || ownNames.includes(name)) {
      throw new QueueError('internal', `"${name}" cannot be the name of a file of an attempt`)
    }
    await write(name, text)
  }
}
