import type { Clock } from '../domain/clock.ts'
import type { Progress } from '../domain/job.ts'
import type { OutputFacts } from '../domain/ports/attempt.ts'
import { errorCode, isPassing } from './attempt-access.ts'
import type { ExecutorLog } from './executor-context.ts'
import { createOutputKeeper } from './output-keeper.ts'
import { outputFacts } from './output-tail.ts'
import { createProgressReader } from './progress/progress-reader.ts'
import type { TickPace } from './ticker.ts'

/** The output of one running command: kept under its cap, its progress told, its silence measured. */
export interface OutputWatch {
  tick(): TickPace
  /** Awake ms since the output last grew. */
  silentMs(): number
  latestProgress(): Progress | null
  /**
   * After the command has ended: tells the last progress. May be called again after an error.
   * @throws the system's error when there is no descriptor or memory to read the output with now
   */
  finish(): Promise<OutputFacts>
}

const tellEveryMs = 400
const noOutput: OutputFacts = { bytes: 0, droppedBytes: 0, tail: '' }

export function createOutputWatch(
  directory: string,
  maxOutputBytes: number,
  context: { readonly clock: Pick<Clock, 'monotonic'>; readonly log: ExecutorLog },
  tell: (progress: Progress) => void,
): OutputWatch {
  const { clock, log } = context
  const reader = createProgressReader()
  const receiver = { bytes: (piece: Uint8Array, skipped: boolean) => reader.push(piece, skipped) }
  const keeper = createOutputKeeper(directory, maxOutputBytes, receiver, log)
  let grewAt = clock.monotonic()
  let told: Progress | null = null
  let toldAt = Number.NEGATIVE_INFINITY

  const tellNew = (): void => {
    const latest = reader.latest()
    if (latest === null || latest === told) return
    told = latest
    toldAt = clock.monotonic()
    tell(latest)
  }

  return {
    tick() {
      try {
        const growth = keeper.look()
        if (growth.grew) grewAt = clock.monotonic()
        else reader.rest()
        if (clock.monotonic() - toldAt >= tellEveryMs) tellNew()
        return growth.fast ? 'fast' : 'slow'
      } catch (error) {
        log.warn({ directory, err: error }, 'cannot watch the output of a command')
        return 'slow'
      }
    },
    silentMs: () => clock.monotonic() - grewAt,
    latestProgress: () => reader.latest(),
    async finish() {
      try {
        await keeper.finish()
        reader.rest()
        tellNew()
        return await outputFacts(directory)
      } catch (error) {
        // Without descriptors or memory its end is told later, with its output.
        if (isPassing(error) && errorCode(error) !== 'EIO') throw error
        log.error({ directory, err: error }, 'the output of a command cannot be read')
        return noOutput
      }
    },
  }
}
