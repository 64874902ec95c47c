import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { type StatePaths, statePaths } from '../../config/paths.ts'

/** Every path of the state of one worker. Nothing else joins a file name to it. */
export interface WorkerPaths {
  /** As the executors know them: attempts, hosts. */
  readonly state: StatePaths
  readonly predictions: string
  readonly files: string
  readonly instance: string
  readonly lock: string
}

export function workerPaths(home: string): WorkerPaths {
  return {
    state: statePaths(home),
    predictions: join(home, 'predictions'),
    files: join(home, 'files'),
    instance: join(home, 'instance.json'),
    lock: join(home, 'worker.lock'),
  }
}

/** @returns the file of one prediction; by hash, since ids that differ in case alone would share a name on some systems */
export function predictionFile(paths: Pick<WorkerPaths, 'predictions'>, id: string): string {
  return join(paths.predictions, `${createHash('sha256').update(id).digest('hex').slice(0, 32)}.json`)
}
