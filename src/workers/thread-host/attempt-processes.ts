import { attemptDirectory } from '../../config/paths.ts'
import { attemptMarks } from './attempt-marks.ts'
import { AttemptPrograms, endMarked } from './attempt-programs.ts'
import type { HostAttempt } from './host-attempt.ts'
import type { HostContext } from './host-context.ts'
import type { PoolThread } from './pool-thread.ts'
import { hasStrayChildren } from './stray-children.ts'

/** Between TERM and KILL of what is left of an attempt that has ended. */
const leftoverGraceMs = 500

/** @returns the directory of an attempt, which may not exist */
export function directoryOf(context: Pick<HostContext, 'order'>, { item }: HostAttempt): string {
  return attemptDirectory(context.order, { unitId: item.unit_id, attempt: item.attempt, nonce: item.nonce })
}

/** The processes of attempts: those of `ctx.spawn`, and those that handlers start by themselves. */
export class AttemptProcesses {
  readonly #context: HostContext
  /** @returns all attempts that have not ended */
  readonly #attempts: () => Iterable<HostAttempt>
  /** @returns whether the output of an attempt may grow */
  readonly #mayWrite: (attempt: HostAttempt) => boolean

  constructor(
    context: HostContext,
    attempts: () => Iterable<HostAttempt>,
    mayWrite: (attempt: HostAttempt) => boolean,
  ) {
    this.#context = context
    this.#attempts = attempts
    this.#mayWrite = mayWrite
  }

  /** @returns the programs of an attempt that runs in this thread */
  programsOf(attempt: HostAttempt, thread: PoolThread): AttemptPrograms {
    attempt.programs ??= new AttemptPrograms({
      directory: directoryOf(this.#context, attempt),
      cwd: attempt.job.cwd,
      environment: attempt.job.environment,
      killer: this.#context.killer,
      send: (message) => thread.isGone || thread.send(message),
      touch: () => thread.control.touch(),
      mayWrite: () => this.#mayWrite(attempt),
      ...attemptMarks(this.#context.order, attempt.job.job_id, attempt.item),
    })
    return attempt.programs
  }

  /**
   * Ends what an attempt has left behind. In a thread that many attempts share only `ctx.spawn` tells whose a process is.
   * @returns those that could not be ended. Never throws.
   */
  async endLeftovers(attempt: HostAttempt): Promise<readonly number[]> {
    try {
      const survivors = (await attempt.programs?.end(leftoverGraceMs)) ?? []
      return attempt.job.code.reusable ? survivors : [...survivors, ...(await this.#endStrays(attempt))]
    } catch (error) {
      this.#context.log(`the processes of ${attempt.key} cannot be looked for: ${String(error)}`)
      return []
    }
  }

  async #endStrays(attempt: HostAttempt): Promise<readonly number[]> {
    const known = [...this.#attempts()].flatMap((one) => one.programs?.pids ?? [])
    if (!hasStrayChildren(new Set(known))) return []
    const { mark } = attemptMarks(this.#context.order, attempt.job.job_id, attempt.item)
    return endMarked(this.#context.killer, mark, leftoverGraceMs)
  }
}
