import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AttemptEnd } from '../../domain/ports/attempt.ts'
import { endTree } from '../end-tree.ts'
import { markOf } from '../marks.ts'
import { outputFacts } from '../output-tail.ts'
import type { HostContext } from './host-context.ts'
import { mayExist } from './host-files.ts'
import type { AttemptPlace, ThreadAttempt } from './thread-attempt.ts'

const leftoverGraceMs = 500
const retryMs = 1_000

/** Attempts of an earlier manager that were never handed to any host that is known. */
export class UnknownAttempts implements AttemptPlace {
  /** Hosts of another boot were found: what they ran is not all known. */
  wasRestarted = false
  readonly #context: HostContext
  readonly #ended: (attempt: ThreadAttempt, end: AttemptEnd) => void

  constructor(context: HostContext, ended: (attempt: ThreadAttempt, end: AttemptEnd) => void) {
    this.#context = context
    this.#ended = ended
  }

  add(attempt: ThreadAttempt): void {
    attempt.place = this
    void this.#judgeAtLast(attempt)
  }

  /** It is over already. */
  stop(): void {}

  async #judgeAtLast(attempt: ThreadAttempt): Promise<void> {
    while (!this.#context.detached()) {
      try {
        const end = await this.#judge(attempt)
        this.#ended(attempt, end)
        return
      } catch (error) {
        if (this.#context.detached()) return
        this.#context.log.error({ attempt: attempt.key, err: error }, 'cannot find out what became of a handler')
        await sleep(retryMs)
      }
    }
  }

  async #judge(attempt: ThreadAttempt): Promise<AttemptEnd> {
    const { paths, instanceId, managerPid, table, scanner, clock, detached } = this.#context
    const directory = join(paths.attempts, attempt.key)
    const elapsedMs = attempt.elapsedMs()
    const hasRun = mayExist(directory)
    if (!hasRun && !this.wasRestarted) {
      const message = 'the manager ended before the handler was started'
      return { kind: 'released', message, backOff: false, elapsedMs }
    }
    const root = { mark: markOf(instanceId, attempt.fence), runner: null, watched: false, managerPid }
    await endTree({ table, scanner, clock, abandoned: detached }, root, leftoverGraceMs)
    const message = this.wasRestarted
      ? 'the machine was restarted while the handler may have run'
      : 'the process that ran the handler is not known any more'
    const output = hasRun ? await outputFacts(directory) : { bytes: 0, droppedBytes: 0, tail: '' }
    return { kind: 'lost', message, countsAsCrash: false, elapsedMs, output }
  }
}
