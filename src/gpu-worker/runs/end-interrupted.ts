import type { Clock } from '../../domain/clock.ts'
import type { AttemptEnd } from '../../domain/ports/attempt.ts'
import type { ThreadExecutor } from '../../domain/ports/thread-executor.ts'
import type { ExecutorLog } from '../../workers/executor-context.ts'
import type { FileStore } from '../storage/file-store.ts'
import type { Journal, PredictionRecord } from '../storage/journal.ts'
import type { WorkerPaths } from '../storage/worker-paths.ts'
import { newestCheckpoint } from './checkpoints.ts'
import { endFactsOf, restarted } from './end-facts.ts'
import { fenceOf, Run } from './run.ts'
import { finishedRecord } from './write-end.ts'

export interface Interrupted {
  readonly paths: WorkerPaths
  readonly journal: Journal
  readonly files: FileStore
  readonly executor: ThreadExecutor
  readonly clock: Clock
  readonly log: ExecutorLog
}

/** Longest wait for runs that an earlier worker left; then they count as ended. */
const limitMs = 10_000

/**
 * Ends what an earlier worker left running, and writes down how: WORKER_RESTARTED with the last checkpoint, or what a run came to
 * by itself meanwhile. Before anything new is taken.
 */
export async function endInterrupted(options: Interrupted, records: readonly PredictionRecord[]): Promise<void> {
  const { executor, clock, paths, log } = options
  const runs = records.map((record) => new Run(record, { clock, paths: paths.state, onLeaseEnd: 'cancel' }))
  for (const run of runs) run.control = executor.adopt(fenceOf(run.record), 0, run)
  executor.adopted()
  for (const run of runs) run.stop('shutdown')
  await Promise.all(
    runs.map(async (run) => {
      const end = await within(run.whenEnded, limitMs)
      if (end === null) log.warn({ prediction: run.record.id }, 'a run of an earlier worker has not ended yet')
      await write(options, run, end)
    }),
  )
}

async function write(
  { files, journal, clock, executor, log }: Interrupted,
  run: Run,
  end: AttemptEnd | null,
): Promise<void> {
  const { checkpoint, checkpoint_mark: mark, checkpoint_seq: seq, checkpoint_format: format, id } = run.record
  const elapsedMs = end?.elapsedMs ?? run.control?.elapsedMs() ?? 0
  try {
    const newest = await newestCheckpoint(run.directory, format, { checkpoint, mark, seq }, files)
    run.record = {
      ...run.record,
      checkpoint: newest.checkpoint,
      checkpoint_mark: newest.mark,
      checkpoint_seq: newest.seq,
    }
    const facts = end === null ? restarted(elapsedMs) : endFactsOf(end, 'shutdown')
    journal.write(await finishedRecord(run, facts, files, clock.now()))
  } catch (error) {
    log.error({ prediction: id, err: error }, 'what a run of an earlier worker left could not be kept')
    journal.write(await finishedRecord(run, restarted(elapsedMs), files, clock.now()))
  }
  executor.acknowledge([fenceOf(run.record)])
}

async function within<Value>(promise: Promise<Value>, ms: number): Promise<Value | null> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), ms)
  })
  try {
    return await Promise.race([promise, timeout])
  } finally {
    clearTimeout(timer)
  }
}
