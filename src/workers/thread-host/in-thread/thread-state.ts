import { AsyncLocalStorage } from 'node:async_hooks'
import type { ControlBlock } from '../control-block.ts'
import type { FromThread, ThreadCode } from '../thread-messages.ts'
import type { AttemptRun } from './attempt-run.ts'
import type { LoadedHandler } from './load-handler.ts'
import { SpawnedPrograms } from './spawned-programs.ts'
import type { ThreadJob } from './thread-job.ts'

/** What everything in a thread shares. */
export interface ThreadState {
  readonly control: ControlBlock
  /** Directory of the attempt directories. */
  readonly attempts: string
  readonly jobs: Map<string, ThreadJob>
  readonly programs: SpawnedPrograms
  readonly post: (message: FromThread) => void
  /** Null until it is told which. */
  code: ThreadCode | null
  /** Its handler, while and after it is loaded. */
  handler: Promise<LoadedHandler> | null
  loaded: LoadedHandler | null
  /** The attempt that runs; null between two. */
  current: AttemptRun | null
  /** Tells the ends that are kept for a moment to be told together; null when there are none. */
  tellEnds: (() => void) | null
  /** Calls `work` so that what it leaves running is known as the attempt's. */
  readonly within: <Result>(attempt: AttemptRun, work: () => Result) => Result
  /** @returns the attempt that the running code belongs to, ended or not */
  readonly owner: () => AttemptRun | null
}

export function createThreadState(given: Pick<ThreadState, 'control' | 'attempts' | 'post'>): ThreadState {
  const storage = new AsyncLocalStorage<AttemptRun>()
  const state: ThreadState = {
    ...given,
    jobs: new Map(),
    programs: new SpawnedPrograms(given.post),
    code: null,
    handler: null,
    loaded: null,
    current: null,
    tellEnds: null,
    // Only where another attempt may follow: it costs a part of every await.
    within: (attempt, work) => (state.code?.reusable === true ? storage.run(attempt, work) : work()),
    owner: () => storage.getStore() ?? state.current,
  }
  return state
}
