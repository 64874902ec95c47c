import type { ChildProcess } from 'node:child_process'
import { type FSWatcher, watch } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { attemptDirectory } from '../config/paths.ts'
import type { RunnerIdentity } from '../domain/job.ts'
import type { AttemptControl, AttemptEnd, AttemptObserver, StopReason } from '../domain/ports/attempt.ts'
import type { CommandTask } from '../domain/ports/executor.ts'
import { type EndingAttempt, endExited, endRefused, endStopped, endVanished } from './attempt-end.ts'
import {
  attemptFiles,
  type ClockRecord,
  readExit,
  type StartRecord,
  type StopRecord,
  winGate,
  writeStop,
} from './attempt-files.ts'
import { AttemptInput } from './attempt-input.ts'
import type { ExecutorContext } from './executor-context.ts'
import { type AttemptMark, markOf } from './marks.ts'
import { createOutputWatch, type OutputWatch } from './output-watch.ts'
import type { TreeRoot } from './process-tree.ts'
import { continueStoppedRunner } from './stopped-runner.ts'
import { Suspension } from './suspension.ts'
import type { TickPace } from './ticker.ts'

/** One attempt in the hands of this manager, from its preparation to the one telling of its end. */
export interface LiveAttempt {
  readonly directory: string
  readonly mark: AttemptMark
  readonly command: AttemptControl
  /** Null when no stop was asked for. */
  stopReason(): StopReason | null
  /** Takes over a stop that an earlier manager began. */
  resumeStop(stop: StopRecord): void
  /** Goes on with the clock that an earlier manager started in this boot. */
  resumeClock(started: StartRecord | null, record: ClockRecord | null): void
  /** The runner was started here; its exit will be told by the system. */
  watchOwn(child: ChildProcess, runner: RunnerIdentity): void
  /** The runner was started by an earlier manager: its exit file is watched, and itself now and then. */
  watchAdopted(runner: RunnerIdentity, isRecorded: boolean): void
  /** A runner that is gone: its session may still hold processes of the attempt. */
  rememberRunner(runner: RunnerIdentity): void
  /** Ends the attempt, unless it is ending already. */
  conclude(work: (attempt: EndingAttempt) => Promise<AttemptEnd>): void
}

type Phase = 'preparing' | 'running' | 'ending' | 'ended'

const livenessMs = 1_000
const endRetryMs = 1_000
/** Exit codes by which the runner says that it did not start the command. */
const refusalCodes: readonly (number | null)[] = [70, 71, 72]
/** It could not make the pipe of an interactive command: no attempt could. */
const noPipeCode = 73

export function createLiveAttempt(context: ExecutorContext, task: CommandTask, observer: AttemptObserver): LiveAttempt {
  const { clock, log, table } = context
  const directory = attemptDirectory(context.paths, task.fence)
  const mark = markOf(context.instanceId, task.fence)
  let phase: Phase = 'preparing'
  let endedAfterMs: number | null = null
  let stop: StopRecord | null = null
  let stopIsOld = false
  let runner: RunnerIdentity | null = null
  let output: OutputWatch | null = null
  let adopted: { watcher: FSWatcher | null } | null = null
  let checkedAt = clock.monotonic()
  let removeFromTicker: (() => void) | null = null

  const isOver = (): boolean => phase === 'ended' || context.detached()
  const root = (): TreeRoot => ({ mark, runner, watched: phase === 'running', managerPid: context.managerPid })
  const suspension = new Suspension({ context, task, directory, root, phase: () => phase })
  const input = new AttemptInput({
    context,
    task,
    directory,
    isOver: () => phase === 'ending' || phase === 'ended',
    isFrozen: () => suspension.clock.isFrozen,
  })
  const elapsedMs = (): number => endedAfterMs ?? Math.round(suspension.clock.elapsed())
  /** Its silence is measured in its own time. */
  const awake = { monotonic: () => suspension.clock.elapsed() }

  const outputWatch = (): OutputWatch => {
    output ??= createOutputWatch(directory, task.maxOutputBytes, { clock: awake, log }, (progress) => {
      if (!isOver()) tellSafely(() => observer.progressed(progress))
    })
    return output
  }

  const tellSafely = (tell: () => void): void => {
    try {
      tell()
    } catch (error) {
      log.error({ unit: task.fence.unitId, err: error }, 'what was told of a command was not taken')
    }
  }

  const conclude: LiveAttempt['conclude'] = (work) => {
    if (phase === 'ending' || isOver()) return
    const lastRoot = root()
    phase = 'ending'
    adopted?.watcher?.close()
    const attempt: EndingAttempt = {
      context,
      task,
      directory,
      root: lastRoot,
      elapsedMs,
      // Made only when it is asked for: what never ran has none, and there may be no descriptor to look for it.
      get output() {
        return outputWatch()
      },
    }
    void untilKnown(() => work(attempt)).then((end) => {
      removeFromTicker?.()
      if (end === null || isOver()) return
      phase = 'ended'
      endedAfterMs = end.elapsedMs
      tellSafely(() => observer.ended(end))
    })
  }

  /** An error while the end is found out says nothing of the processes: none is told gone before that is proven. */
  const untilKnown = async (work: () => Promise<AttemptEnd>): Promise<AttemptEnd | null> => {
    while (!isOver()) {
      try {
        return await work()
      } catch (error) {
        if (isOver()) break
        log.error({ unit: task.fence.unitId, err: error }, 'the end of a command cannot be found out; trying again')
        await sleep(endRetryMs)
      }
    }
    return null
  }

  /** @param exitCode of the runner itself; null when it was not started here */
  const concludeAfterRunner = (exitCode: number | null): void => {
    // Kept over tries: what was won is not won again.
    let revoked = false
    conclude(async (attempt) => {
      const exit = await readExit(directory)
      if (exit?.bootId === context.bootId) return endExited(attempt, exit)
      if (exitCode === noPipeCode) return endRefused(attempt)
      revoked ||= await winGate(directory).catch(() => false)
      const runnerRefused = refusalCodes.includes(exitCode)
      return endVanished(attempt, { revoked, runnerSeen: true, runnerRefused, otherBoot: false })
    })
  }

  const concludeStop = (): void =>
    conclude(async (attempt) => {
      // It may have ended by itself a moment before.
      const exit = stopIsOld ? null : await readExit(directory)
      if (exit?.bootId === context.bootId) return endExited(attempt, exit)
      if (stop !== null)
        await writeStop(directory, stop).catch((error: unknown) => log.warn({ err: error }, 'stop reason not written'))
      return endStopped(attempt, () => stop ?? { kind: 'stop', reason: 'cancel' })
    })

  const requestStop = (record: StopRecord): void => {
    if (isOver()) return
    if (stop !== null) {
      // A cancel is stronger than a release; any other first reason stays.
      if (stop.kind === 'stop' && stop.reason === 'release') stop = record
      return
    }
    stop = record
    if (phase === 'running') concludeStop()
  }

  const checkTimeouts = (): void => {
    const { unitTimeoutMs, idleTimeoutMs } = task
    if (unitTimeoutMs !== null && elapsedMs() >= unitTimeoutMs) {
      requestStop({ kind: 'timeout', which: 'unit', limitMs: unitTimeoutMs })
    } else if (idleTimeoutMs !== null && outputWatch().silentMs() >= idleTimeoutMs) {
      requestStop({ kind: 'timeout', which: 'idle', limitMs: idleTimeoutMs })
    }
  }

  const checkRunner = (): void => {
    if (runner === null || clock.monotonic() - checkedAt < livenessMs) return
    checkedAt = clock.monotonic()
    if (adopted !== null) adopted.watcher ??= watchGate()
    const facts = table.find(runner.pid)
    const isItself = facts?.startTime === runner.startTime
    // The end of one that was started here is told by the system.
    if (!isItself && adopted !== null) concludeAfterRunner(null)
    if (isItself && facts.isStopped === true) void continueStoppedRunner(context, facts, directory)
  }

  const watchGate = (): FSWatcher | null => {
    try {
      // The runner makes the exit file in the gate and moves it out; the flood of the output file is not heard there.
      const watcher = watch(join(directory, attemptFiles.gate), concludeIfExited)
      watcher.on('error', () => watcher.close())
      return watcher
    } catch {
      return null
    }
  }

  const concludeIfExited = (): void => {
    if (phase !== 'running') return
    readExit(directory)
      .then((exit) => {
        if (exit !== null && phase === 'running') concludeAfterRunner(null)
      })
      .catch((error: unknown) => log.warn({ directory, err: error }, 'cannot look for the end of a command'))
  }

  const tick = (): TickPace => {
    if (phase === 'running') checkTimeouts()
    if (phase === 'running') checkRunner()
    if (phase === 'running') suspension.look()
    return outputWatch().tick()
  }

  const run = (identity: RunnerIdentity): void => {
    runner = identity
    phase = 'running'
    removeFromTicker = context.ticker.add({ tick, close: () => adopted?.watcher?.close() })
    if (stop !== null) concludeStop()
    else suspension.began()
  }

  return {
    directory,
    mark,
    conclude,
    stopReason: () => (stop?.kind === 'stop' ? stop.reason : null),
    resumeStop(record) {
      stop = record
      stopIsOld = true
    },
    resumeClock: (started, record) => suspension.resume(started, record),
    watchOwn(child, identity) {
      if (context.detached()) return
      child.once('exit', (exitCode) => concludeAfterRunner(exitCode))
      tellSafely(() => observer.started(identity))
      run(identity)
      // It may have ended while its start time was looked for.
      if (child.exitCode !== null || child.signalCode !== null) concludeAfterRunner(child.exitCode)
    },
    watchAdopted(identity, isRecorded) {
      if (context.detached()) return
      if (!isRecorded) tellSafely(() => observer.started(identity))
      adopted = { watcher: watchGate() }
      run(identity)
      concludeIfExited()
      input.resume().catch((error: unknown) => log.warn({ directory, err: error }, 'cannot end the input of a command'))
    },
    rememberRunner(identity) {
      runner = identity
    },
    command: {
      stop: (reason) => requestStop({ kind: 'stop', reason }),
      elapsedMs,
      latestProgress: () => output?.latestProgress() ?? null,
      silentMs: () => Math.round(output?.silentMs() ?? suspension.clock.elapsed()),
      freeze: () => suspension.freeze(),
      thaw: () => suspension.thaw(),
      send: (text, end) => input.send(text, end),
    },
  }
}
