import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { QueueError, toErrorRecord } from '../domain/errors.ts'
import type { AttemptEnd, OutputFacts } from '../domain/ports/attempt.ts'
import type { CommandTask } from '../domain/ports/executor.ts'
import { readRegular } from './attempt-access.ts'
import {
  attemptFiles,
  type ExitRecord,
  hasRun,
  isGateTaken,
  isPrepared,
  readInputHolder,
  type StopRecord,
} from './attempt-files.ts'
import { readResult } from './attempt-result.ts'
import { endTree, lookForMembers, type TreeKiller } from './end-tree.ts'
import type { ExecutorContext } from './executor-context.ts'
import type { OutputWatch } from './output-watch.ts'
import type { TreeRoot } from './process-tree.ts'
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
const complaintBytes = 16 * 1024

/** The exit status is known: what the command left behind is ended, then it is told. */
export async function endExited(
  attempt: EndingAttempt,
  exit: ExitRecord,
  elapsedMs = attempt.elapsedMs(),
): Promise<AttemptEnd> {
  attempt.context.faultPoint('runner.exit_seen')
  await endLeftovers(attempt)
  const { exitCode } = exit
  const succeeded = attempt.task.spec.successExitCodes.includes(exitCode)
  return { kind: 'exited', exitCode, succeeded, elapsedMs, output: await finishOutput(attempt) }
}

/** The runner could not prepare what no later attempt could either; it said so and ended. */
export async function endRefused(attempt: EndingAttempt): Promise<AttemptEnd> {
  const message = `the pipe of an interactive command could not be made${runnerComplaint(attempt.directory)}`
  const remedy =
    'Submit it without params.interactive, or keep the state directory on a file system that has named pipes.'
  const error = toErrorRecord(new QueueError('command_not_started', message, { remedy }))
  return { kind: 'not_started', error, elapsedMs: attempt.elapsedMs() }
}

/** What is known of an attempt that has no exit status. */
export interface Vanished {
  /** The gate was won here: whoever comes later does not run the command. */
  readonly revoked: boolean
  /** The runner was seen: its directory had been prepared by then. */
  readonly runnerSeen: boolean
  /** The runner itself said by its exit code that it did not start the command. */
  readonly runnerRefused: boolean
  readonly otherBoot: boolean
}

/** The runner is gone without an exit status, or the attempt was revoked: everything with its mark is ended first. */
export async function endVanished(attempt: EndingAttempt, facts: Vanished): Promise<AttemptEnd> {
  const { revoked, otherBoot } = facts
  const survivors = await endTree(killerOf(attempt), attempt.root, leftoverGraceMs)
  warnOfSurvivors(attempt, survivors)
  const elapsedMs = attempt.elapsedMs()
  if (neverRan(attempt.directory, facts)) {
    const reason = runnerComplaint(attempt.directory)
    const message =
      revoked && !facts.runnerSeen
        ? 'the manager ended before the command was started'
        : `the command was not started${reason}`
    return { kind: 'released', message, backOff: !revoked, elapsedMs }
  }
  const what = otherBoot
    ? 'the machine was restarted while the command ran'
    : 'the command and its runner vanished without an exit status'
  const left = survivors.length === 0 ? '' : `; still running: ${survivors.join(', ')}`
  const output = await finishOutput(attempt)
  return { kind: 'lost', message: what + left, countsAsCrash: !otherBoot, elapsedMs, output }
}

/**
 * True only when there is proof. A command may have removed its attempt directory, or parts of it: what is not there
 * proves nothing, and an attempt that is released for it would run again for ever.
 */
function neverRan(directory: string, facts: Vanished): boolean {
  if (facts.runnerRefused) return true
  if (hasRun(directory)) return false
  if (facts.revoked) return !facts.runnerSeen || isPrepared(directory)
  return isPrepared(directory) && isGateTaken(directory)
}

/** Ends the whole tree on request; the reason is on disk already. */
export async function endStopped(attempt: EndingAttempt, stopRecord: () => StopRecord): Promise<AttemptEnd> {
  const survivors = await endTree(killerOf(attempt), attempt.root, attempt.task.cancelGraceMs)
  warnOfSurvivors(attempt, survivors)
  const elapsedMs = attempt.elapsedMs()
  const output = await finishOutput(attempt)
  const stop = stopRecord()
  if (stop.kind === 'stop') return { kind: 'stopped', reason: stop.reason, survivors, elapsedMs, output }
  return { kind: 'timed_out', which: stop.which, limitMs: stop.limitMs, elapsedMs, output }
}

/** After a detach the files belong to the next manager. */
async function finishOutput({ context, output, directory }: EndingAttempt): Promise<OutputFacts> {
  if (context.detached()) throw new Error('abandoned: the next manager goes on')
  const facts = await output.finish()
  return { ...facts, ...readResult(directory) }
}

function killerOf({ context }: EndingAttempt): TreeKiller {
  return { table: context.table, scanner: context.scanner, clock: context.clock, abandoned: context.detached }
}

async function endLeftovers(attempt: EndingAttempt): Promise<void> {
  const { context, root, task } = attempt
  const look = () => lookForMembers(killerOf(attempt), root, new Map())
  if ((await look()).length === 0) return
  await sleep(settleMs)
  const left = await look()
  if (left.length === 0) return
  // The holder of the input ends with the runner; it is nothing that the command left.
  const holder = task.spec.interactive ? await readInputHolder(attempt.directory) : null
  const pids = left.map((one) => one.pid).filter((pid) => pid !== root.runner?.pid && pid !== holder)
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

function runnerComplaint(directory: string): string {
  try {
    const text = readRegular(join(directory, attemptFiles.runnerLog), complaintBytes)
    const line = cleanMessage(text.trim().split('\n').at(-1) ?? '')
    return line === '' ? '' : `: ${line}`
  } catch {
    return ''
  }
}
