import type { Job } from '../../domain/job.ts'
import type { CommandExecutor } from '../../domain/ports/executor.ts'
import type { HeldUnit, JobPayload, JobStore } from '../../domain/ports/job-store.ts'
import type { AttemptStarter, Beginning } from './attempt-starter.ts'
import { commandTask } from './command-task.ts'
import type { DependencyValues } from './dependency-values.ts'

export interface CommandAttemptsOptions {
  readonly store: JobStore
  readonly executor: CommandExecutor
  readonly dependencies: DependencyValues
}

/** Begins units of command jobs: each is a process of its own. */
export class CommandAttempts implements AttemptStarter {
  readonly #options: CommandAttemptsOptions

  constructor(options: CommandAttemptsOptions) {
    this.#options = options
  }

  start(job: Job, payload: JobPayload, beginnings: readonly Beginning[], resultsFile: string | null): void {
    const { store, executor } = this.#options
    // The job may have been frozen while the results were being written.
    const { frozenAt } = (resultsFile === null ? null : store.readJob(job.id)) ?? job
    for (const beginning of beginnings) {
      try {
        const state = { elapsedMs: 0, frozen: frozenAt !== null, resultsFile }
        beginning.began(executor.start(this.#task(job, payload, beginning, state), beginning.observer))
      } catch (error) {
        beginning.refuse(error)
      }
    }
  }

  adopt(held: HeldUnit, payload: JobPayload, beginning: Beginning, resultsFile: string | null): void {
    const { job, runner, elapsedMs } = held
    const task = this.#task(job, payload, beginning, { elapsedMs, frozen: job.frozenAt !== null, resultsFile })
    beginning.began(this.#options.executor.adopt(task, runner, beginning.observer))
  }

  /** Its exit file says it again as long as it is asked. */
  acknowledge(): void {}

  detach(): void {
    this.#options.executor.detach()
  }

  #task(job: Job, payload: JobPayload, { unit }: Beginning, state: Parameters<typeof commandTask>[4]) {
    const { store, dependencies } = this.#options
    return commandTask({ store, dependencies: dependencies.of(job) }, job, payload, unit, state)
  }
}
