import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CommandEnd, CommandTask, OutputFacts } from '../domain/ports/executor.ts'
import { attemptFiles, type ExitRecord, hasRun, type StopRecord } from './attempt-files.ts'
import { endTree, type TreeKiller } from './end-tree.ts'
import type { ExecutorContext } from './executor-context.ts'
import type { OutputWatch } from './output-watch.ts'
import { type TreeRoot, treeMembers } from './process-tree.ts'
import { cleanMessage } from './progress/clean-line.ts'

/** What the end of an attempt needs to know of it. */
export interface EndingAttempt {
  readonly context: ExecutorContext
  readonly task: CommandTask
  readonly directory: string
  readonly root: TreeRoot
  readonly output: OutputWatch
  elapsedMs(): number
}

/** Grace of processes that a command left behind when it ended by itself, or whose runner is gone. */
const leftoverGraceMs = 500
/** A process that is just going away is not one left behind. */
const settleMs = 20

/** The exit status is known: what the command left behind is ended, then it is told. */
export async function endExited(
  attempt: EndingAttempt,
  exit: ExitRecord,
  elapsedMs = attempt.elapsedMs(),
): Promise<CommandEnd> {
  attempt.context.faultPoint('runner.exit_seen')
  await endLeftovers(attempt)
  const { exitCode } = exit
  const succeeded = attempt.task.spec.successExitCodes.includes(exitCode)
  return { kind: 'exited', exitCode, succeeded, elapsedMs, output: await finishOutput(attempt) }
}

/** The runner is gone without an exit status, or the attempt was revoked: everything with its mark is ended first. */
export async function endVanished(attempt: EndingAttempt, revoked: boolean, otherBoot: boolean): Promise<CommandEnd> {
  const survivors = await endTree(killerOf(attempt), attempt.root, leftoverGraceMs)
  warnOfSurvivors(attempt, survivors)
  const elapsedMs = attempt.elapsedMs()
  if (!(await hasRun(attempt.directory))) {
    const reason = await runnerComplaint(attempt.directory)
    const message = revoked
      ? 'the manager ended before the command was started'
      : `the command was not started${reason}`
    return { kind: 'released', message, elapsedMs }
  }
  const what = otherBoot
    ? 'the machine was restarted while the command ran'
    : 'the command and its runner vanished without an exit status'
  const left = survivors.length === 0 ? '' : `; still running: ${survivors.join(', ')}`
  return { kind: 'lost', message: what + left, otherBoot, elapsedMs, output: await finishOutput(attempt) }
}

/** Ends the whole tree on request; the reason is on disk already. */
export async function endStopped(attempt: EndingAttempt, stopRecord: () => StopRecord): Promise<CommandEnd> {
  const survivors = await endTree(killerOf(attempt), attempt.root, attempt.task.cancelGraceMs)
  warnOfSurvivors(attempt, survivors)
  const elapsedMs = attempt.elapsedMs()
  const output = await finishOutput(attempt)
  const stop = stopRecord()
  if (stop.kind === 'stop') return { kind: 'stopped', reason: stop.reason, survivors, elapsedMs, output }
  return { kind: 'timed_out', which: stop.which, limitMs: stop.limitMs, elapsedMs, output }
}

/** After a detach the files belong to the next manager. */
async function finishOutput({ context, output }: EndingAttempt): Promise<OutputFacts> {
  if (context.detached()) throw new Error('abandoned: the next manager goes on')
  return output.finish()
}

function killerOf({ context }: EndingAttempt): TreeKiller {
  return { table: context.table, scanner: context.scanner, clock: context.clock, abandoned: context.detached }
}

async function endLeftovers(attempt: EndingAttempt): Promise<void> {
  const { context, root, task } = attempt
  const look = async () => treeMembers(await context.scanner.scan(), root, new Map())
  if ((await look()).length === 0) return
  await sleep(settleMs)
  const left = await look()
  if (left.length === 0) return
  const pids = left.map((one) => one.pid).filter((pid) => pid !== root.runner?.pid)
  if (pids.length > 0) {
    context.log.warn(
      { job: task.jobId, unit: task.fence.unitId, leaked_processes: pids },
      'the command left processes behind',
    )
  }
  warnOfSurvivors(attempt, await endTree(killerOf(attempt), root, leftoverGraceMs))
}

function warnOfSurvivors({ context, task }: EndingAttempt, survivors: readonly number[]): void {
  if (survivors.length === 0) return
  const details = { job: task.jobId, unit: task.fence.unitId, leaked_processes: survivors }
  context.log.error(details, 'processes of a command could not be ended')
}

async function runnerComplaint(directory: string): Promise<string> {
  const text = await readFile(join(directory, attemptFiles.runnerLog), 'utf8').catch(() => '')
  const line = cleanMessage(text.trim().split('\n').at(-1) ?? '')
  return line === '' ? '' : `: ${line}`
}
