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

  /** Takes over what ran on this machine. @returns how many attempts at GPU workers are left for `reconcileRemote` */
  async reconcile(): Promise<number> {
    const { remote } = await this.#takeOver('local')
    return remote
  }

  /** Takes over attempts at GPU workers: only once the handlers are known, and never because a lease ran out here. */
  async reconcileRemote(): Promise<void> {
    await this.#takeOver('remote')
  }

  async #takeOver(place: 'local' | 'remote'): Promise<{ readonly remote: number }> {
    const { store, commits, supervisor, workerId, log } = this.#options
    const { adopted, remote } = await commits.run(() => {
      const held = store
        .findHeldUnits({ limit: mostHeld })
        .filter(({ fence }) => !supervisor.isSupervised(fence.unitId))
      const atWorkers = held.filter(({ executor }) => executor === 'gpu')
      const here = held.filter(({ executor }) => executor !== 'gpu')
      return {
        remote: atWorkers.length,
        adopted: (place === 'remote' ? atWorkers : here).flatMap((each) => {
          const fence = each.fence.workerId === workerId ? each.fence : store.adoptUnitIfHeld(each.fence, workerId)
          return fence === null ? [] : [{ ...each, fence }]
        }),
      }
    })
    for (const held of adopted) supervisor.adopt(held)
    if (adopted.length > 0) log.info({ adopted: adopted.length }, 'took over running attempts')
    return { remote }
  }
}
