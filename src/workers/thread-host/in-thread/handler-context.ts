import { join } from 'node:path'
import { artifactNameProblem } from '../../../handler/artifact-name.ts'
import type { Cancellation, HandlerContext, HandlerLog } from '../../../handler/context.ts'
import { checkedDevice } from '../../../handler/device.ts'
import { Cancelled } from '../../../handler/outcomes.ts'
import { attemptNames } from '../attempt-names.ts'
import type { AttemptRun } from './attempt-run.ts'
import { writeCheckpoint } from './checkpoint-file.ts'
import { startTimer, stopTimer, writeJson } from './intrinsics.ts'
import type { ThreadState } from './thread-state.ts'

/** Longer timers fire at once. */
const longestTimerMs = 2 ** 31 - 1

/** What was read from the job, checked. */
export interface CheckedInput {
  readonly params: unknown
  readonly unit: unknown
  readonly lastCheckpoint: unknown
}

/** @returns what a handler gets; its methods work on their own, too, since handlers take them apart */
export function createContext(thread: ThreadState, attempt: AttemptRun, input: CheckedInput): HandlerContext {
  const { item, job } = attempt
  let cancellation: Cancellation | null = null
  let log: HandlerLog | null = null
  return {
    params: input.params,
    unit: input.unit,
    position: item.position,
    jobId: job.wire.job_id,
    unitId: item.unit_id,
    attempt: item.attempt,
    compute: item.compute ?? 'cpu',
    lastCheckpoint: input.lastCheckpoint as HandlerContext['lastCheckpoint'],
    environment: job.environment,
    resultsFile: item.results_file ?? null,
    get seed() {
      return attempt.seed
    },
    get signal() {
      return attempt.signal
    },
    get dependencies() {
      return job.dependencies()
    },
    get cancellation() {
      cancellation ??= createCancellation(attempt)
      return cancellation
    },
    get log() {
      log ??= createLog(attempt)
      return log
    },
    progress(current, total = null, message = null, stage = null) {
      attempt.touch()
      if (!attempt.hasEnded) attempt.progress.report(current, total, message, stage)
    },
    reportDevice(name, kind) {
      const device = checkedDevice(name, kind)
      if (!attempt.hasEnded) attempt.computesOn(device)
    },
    checkpoint(state) {
      assertRuns(attempt)
      writeCheckpoint(attempt.directory(), state)
      attempt.touch()
    },
    async artifact(name, data, mediaType) {
      assertRuns(attempt)
      return await attempt.artifacts.keep(name, data, mediaType)
    },
    temporaryFile(name) {
      const problem = artifactNameProblem(name)
      if (problem !== null) throw new TypeError(problem)
      return join(attempt.folder(attemptNames.files), name)
    },
    async spawn(...parameters) {
      assertRuns(attempt)
      if (attempt.isCancelled) throw new Cancelled()
      return await thread.programs.start(item.seq, parameters)
    },
  }
}

function assertRuns(attempt: AttemptRun): void {
  if (attempt.hasEnded) throw new Error('the attempt has ended: its handler has returned before')
}

function createCancellation(attempt: AttemptRun): Cancellation {
  const throwIfCancelled = (): void => {
    if (attempt.isCancelled) throw new Cancelled()
  }
  return {
    get isCancelled() {
      return attempt.isCancelled
    },
    throwIfCancelled,
    async wait(ms) {
      throwIfCancelled()
      for (let left = Number(ms); left > 0; left -= longestTimerMs) {
        await waitOrAbort(attempt, Math.min(left, longestTimerMs))
        throwIfCancelled()
      }
    },
  }
}

function waitOrAbort(attempt: AttemptRun, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const wake = (): void => {
      stopTimer(timer)
      forget()
      resolve()
    }
    const timer = startTimer(wake, ms)
    const forget = attempt.onAbort(wake)
  })
}

function createLog(attempt: AttemptRun): HandlerLog {
  const write =
    (level: string): HandlerLog['info'] =>
    (message, details) => {
      const facts = details === undefined ? '' : ` ${factsText(details)}`
      attempt.output.write(Buffer.from(`${level}: ${message}${facts}\n`))
    }
  return { info: write('info'), warn: write('warn'), error: write('error') }
}

function factsText(details: unknown): string {
  try {
    return writeJson(details, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))
  } catch {
    return '[details that are no JSON]'
  }
}
