import type { Fence } from '../../domain/job.ts'
import type { AttemptRun } from './attempt-run.ts'

const tries = 3
const pauseMs = 1_000
const atOnce = 2
/** What waits beyond that is left to the retention of the workers. */
const mostWaiting = 1_000

export function fenceKey({ unitId, attempt, nonce }: Fence): string {
  return `${unitId}.${attempt}.${nonce}`
}

/** Tells workers, in the background, that attempts whose ends are committed may be forgotten, or that an orphan is to end. */
export class Forgetting {
  readonly #ended = new Map<string, AttemptRun>()
  readonly #waiting: AttemptRun[] = []
  readonly #detached: AbortSignal
  #active = 0

  constructor(detached: AbortSignal) {
    this.#detached = detached
  }

  /** Its end was told. */
  add(run: AttemptRun): void {
    if (run.tries.mayRun && run.place?.mode === 'full') this.#ended.set(fenceKey(run.task.fence), run)
  }

  acknowledge(fences: readonly Fence[]): void {
    for (const fence of fences) {
      const key = fenceKey(fence)
      const run = this.#ended.get(key)
      if (run === undefined) continue
      this.#ended.delete(key)
      if (this.#waiting.length < mostWaiting) this.#waiting.push(run)
    }
    while (this.#active < atOnce && this.#waiting.length > 0) void this.#work()
  }

  async #work(): Promise<void> {
    this.#active += 1
    for (let run = this.#waiting.shift(); run !== undefined; run = this.#waiting.shift()) await this.#forget(run)
    this.#active -= 1
  }

  async #forget(run: AttemptRun): Promise<void> {
    const { remoteId, token, setting, worker } = run
    for (let left = tries; left > 0 && !this.#detached.aborted; left -= 1) {
      const client = setting.fleet.clientOf(worker)
      if (client === null) return
      try {
        // What may still run there is of no use to anybody.
        if (!run.hasEndedThere) await client.cancel({ remoteId, attemptToken: token }, this.#detached)
        await client.forget(remoteId, this.#detached)
        return
      } catch (error) {
        setting.log.debug({ remote: remoteId, worker, err: error }, 'a worker could not be told to forget an attempt')
        if (left > 1) await setting.sleep(pauseMs, this.#detached)
      }
    }
  }
}
