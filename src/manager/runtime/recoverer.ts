import type { Logger } from 'pino'
import type { JobStore } from '../../domain/ports/job-store.ts'
import type { AttemptSupervisor } from './attempt-supervisor.ts'
import type { CommitQueue } from './commit-queue.ts'

/** More than slots and threads can hold. */
const mostHeld = 20_000

export interface RecovererOptions {
  readonly store: JobStore
  readonly commits: CommitQueue
  readonly supervisor: AttemptSupervisor
  readonly workerId: string
  /** Attempts at GPU workers are judged apart: only once the handlers are known, and never by a lease that ran out here. */
  readonly place: 'local' | 'gpu'
  readonly log: Logger
}

/**
 * Finds running units that nobody in this manager looks after and hands them to the supervisor, which adopts what lives and
 * judges what does not. At start that is everything of the manager before; later it is a claim whose commit was reported as
 * failed but stands. Adoption precedes recovery: a lease that ran out only leads here, it never ends an attempt by itself.
 */
export class Recoverer {
  readonly #options: RecovererOptions

  constructor(options: RecovererOptions) {
    this.#options = options
  }

  /** @returns how many attempts were taken over. */
  async reconcile(): Promise<number> {
    const { store, commits, supervisor, workerId, place, log } = this.#options
    const adopted = await commits.run(() =>
      store
        .findHeldUnits({ limit: mostHeld })
        .filter(({ executor }) => (executor === 'gpu') === (place === 'gpu'))
        .filter((held) => !supervisor.isSupervised(held.fence.unitId))
        .flatMap((held) => {
          const fence = held.fence.workerId === workerId ? held.fence : store.adoptUnitIfHeld(held.fence, workerId)
          return fence === null ? [] : [{ ...held, fence }]
        }),
    )
    for (const held of adopted) supervisor.adopt(held)
    if (adopted.length > 0) log.info({ adopted: adopted.length }, 'took over running attempts')
    return adopted.length
  }
}
