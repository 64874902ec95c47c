import type { Fence, Job, RunningUnit } from '../../domain/job.ts'
import type { AttemptControl, AttemptObserver } from '../../domain/ports/attempt.ts'
import type { HeldUnit, JobPayload } from '../../domain/ports/job-store.ts'

/** One claimed unit that is to be begun. */
export interface Beginning {
  readonly unit: RunningUnit
  readonly fence: Fence
  /** Hears of the attempt. */
  readonly observer: AttemptObserver
  /** It is in the hands of its executor. */
  began(control: AttemptControl): void
  /** It cannot be begun; another attempt could not either. */
  refuse(error: unknown): void
}

/** How the attempts of one executor are begun; claims come in groups of one job. */
export interface AttemptStarter {
  /** @param resultsFile all results of the job, for its final step; then there is one beginning */
  start(job: Job, payload: JobPayload, beginnings: readonly Beginning[], resultsFile: string | null): void
  /** Takes over an attempt of an earlier manager. */
  adopt(held: HeldUnit, payload: JobPayload, beginning: Beginning, resultsFile: string | null): void
  /** The ends of these attempts are committed, or were refused for good. */
  acknowledge(fences: readonly Fence[]): void
  /** Leaves everything that runs to the next manager. */
  detach(): void
}
