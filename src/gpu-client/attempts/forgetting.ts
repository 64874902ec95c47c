import type { Fence } from '../../domain/job.ts'
import type { AttemptRun } from './attempt-run.ts'
import type { AttemptSetting } from './attempt-setting.ts'

const tries = 3
const pauseMs = 1_000
const atOnce = 2
/** What waits beyond that is left to the retention of the workers. */
const mostWaiting = 1_000

/** What is left to do for an attempt that has ended. */
interface Leftover {
  readonly worker: string
  readonly remoteId: string
  readonly attemptToken: string
  /** It may still run there. */
  readonly isOrphan: boolean
}

function fenceKey({ unitId, attempt, nonce }: Fence): string {
  return `${unitId}.${attempt}.${nonce}`
}

/** Tells workers, in the background, that attempts whose ends are committed may be forgotten, or that an orphan is to end. */
export class Forgetting {
  readonly #ended = new Map<string, Leftover>()
  readonly #waiting: Leftover[] = []
  readonly #setting: Pick<AttemptSetting, 'fleet' | 'log' | 'sleep'>
  readonly #detached: AbortSignal
  #active = 0

  constructor(setting: Pick<AttemptSetting, 'fleet' | 'log' | 'sleep'>, detached: AbortSignal) {
    this.#setting = setting
    this.#detached = detached
  }

  /** Its end was told. */
  add(run: AttemptRun): void {
    const { worker, remoteId, token: attemptToken, hasEndedThere } = run
    if (!run.tries.mayRun || run.place?.mode !== 'full') return
    this.#ended.set(fenceKey(run.task.fence), { worker, remoteId, attemptToken, isOrphan: !hasEndedThere })
  }

  acknowledge(fences: readonly Fence[]): void {
    for (const fence of fences) {
      const key = fenceKey(fence)
      const leftover = this.#ended.get(key)
      if (leftover === undefined) continue
      this.#ended.delete(key)
      if (this.#waiting.length < mostWaiting) this.#waiting.push(leftover)
    }
    while (this.#active < atOnce && this.#waiting.length > 0) void this.#work()
  }

  async #work(): Promise<void> {
    this.#active += 1
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) await this.#forget(next)
    this.#active -= 1
  }

  async #forget({ worker, remoteId, attemptToken, isOrphan }: Leftover): Promise<void> {
    const { fleet, log, sleep } = this.#setting
    for (let left = tries; left > 0 && !this.#detached.aborted; left -= 1) {
      const client = fleet.clientOf(worker)
      if (client === null) return
      try {
        // It is of no use to anybody any more.
        if (isOrphan) await client.cancel({ remoteId, attemptToken }, this.#detached)
        await client.forget(remoteId, this.#detached)
        return
      } catch (error) {
        log.debug({ remote: remoteId, worker, err: error }, 'a worker could not be told to forget an attempt')
        if (left > 1) await sleep(pauseMs, this.#detached)
      }
    }
  }
}
