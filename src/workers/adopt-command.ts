import { setTimeout as sleep } from 'node:timers/promises'
import type { RunnerIdentity } from '../domain/job.ts'
import { errorCode } from './attempt-access.ts'
import { frozenMs } from './attempt-clock.ts'
import { endExited, endStopped, endVanished } from './attempt-end.ts'
import {
  type ExitRecord,
  readClock,
  readExit,
  readRunner,
  readStarted,
  readStop,
  type StartRecord,
  takeGate,
} from './attempt-files.ts'
import type { ExecutorContext } from './executor-context.ts'
import type { LiveAttempt } from './live-attempt.ts'
import { carriesMark } from './marks.ts'
import { isLiving } from './process-table.ts'

const gateRetryMs = 1_000
/** `attempts`, or the directory itself, was replaced by something else. */
const lasting: readonly string[] = ['ENOTDIR', 'EEXIST', 'ELOOP']

/**
 * Takes over an attempt of an earlier manager: alive → watched; exit file of this boot → its exit; else the gate decides
 * between never ran and vanished.
 * @param known the runner as recorded; null when the earlier manager died before it could
 */
export async function adoptCommand(
  context: ExecutorContext,
  attempt: LiveAttempt,
  known: RunnerIdentity | null,
): Promise<void> {
  const { directory } = attempt
  const [stop, started] = [await readStop(directory), await readStarted(directory)]
  const clock = await readClock(directory)
  attempt.resumeClock(started, clock)
  if (stop !== null) attempt.resumeStop(stop)

  const watchIfAlive = async (): Promise<boolean> => {
    const runner = known ?? (await runnerOnDisk(context, attempt))
    if (context.detached()) return true
    if (runner === null || runner.bootId !== context.bootId) return false
    attempt.rememberRunner(runner)
    if (!isLiving(context.table, runner)) return false
    attempt.watchAdopted(runner, known !== null)
    return true
  }
  const concludeIfExited = async (): Promise<boolean> => {
    const exit = await readExit(directory)
    if (exit?.bootId !== context.bootId) return false
    const wasFrozenMs = frozenMs(started, clock)
    if (stop === null) {
      attempt.conclude((ending) => endExited(ending, exit, ranFor(exit, started, wasFrozenMs, ending.elapsedMs())))
    } else attempt.conclude((ending) => endStopped(ending, () => stop))
    return true
  }

  // In this order: the runner writes the exit file before it ends, and its pid before it takes the gate.
  if ((await watchIfAlive()) || (await concludeIfExited())) return
  const revoked = await takeGateAtLast(context, directory)
  if (context.detached()) return
  if (!revoked && ((await watchIfAlive()) || (await concludeIfExited()))) return
  if (stop !== null) return attempt.conclude((ending) => endStopped(ending, () => stop))
  const bootId = known?.bootId ?? (await readRunner(directory))?.bootId ?? started?.bootId ?? context.bootId
  const otherBoot = bootId !== context.bootId
  attempt.conclude((ending) =>
    endVanished(ending, { revoked, runnerSeen: known !== null, runnerRefused: false, otherBoot }),
  )
}

async function runnerOnDisk(context: ExecutorContext, attempt: LiveAttempt): Promise<RunnerIdentity | null> {
  const record = await readRunner(attempt.directory)
  if (record === null) return null
  // The runner does not note its start time, which would cost a process: its mark proves that the pid is still its own.
  const facts = context.table.find(record.pid)
  if (facts === null || !carriesMark(context.table.marksOf(record.pid), attempt.mark)) return null
  return { ...record, startTime: facts.startTime }
}

/**
 * A disk that refuses now must not decide: without the gate nothing may be revoked. What is no directory any more stays
 * so: then no runner can take the gate either.
 */
async function takeGateAtLast(context: ExecutorContext, directory: string): Promise<boolean> {
  while (!context.detached()) {
    try {
      return await takeGate(directory)
    } catch (error) {
      if (lasting.includes(errorCode(error))) return false
      context.log.error({ directory, err: error }, 'cannot take the gate of an attempt; trying again')
      await sleep(gateRetryMs)
    }
  }
  return false
}

/** How long a command ran that ended while no manager was there: by the files' times, never more than the awake time. */
function ranFor(exit: ExitRecord, started: StartRecord | null, wasFrozenMs: number, awakeMs: number): number {
  if (started === null) return awakeMs
  return Math.min(awakeMs, Math.max(0, Math.round(exit.writtenAt - started.writtenAt - wasFrozenMs)))
}
