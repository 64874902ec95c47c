import { setTimeout as sleep } from 'node:timers/promises'
import { QueueError } from '../domain/errors.ts'
import type { CommandTask } from '../domain/ports/executor.ts'
import { AttemptClock } from './attempt-clock.ts'
import { type ClockRecord, type StartRecord, writeClock } from './attempt-files.ts'
import type { ExecutorContext } from './executor-context.ts'
import type { TreeRoot } from './process-tree.ts'
import { TreeFreezer } from './tree-freezer.ts'

export interface SuspensionOptions {
  readonly context: ExecutorContext
  readonly task: CommandTask
  readonly directory: string
  readonly root: () => TreeRoot
  readonly phase: () => 'preparing' | 'running' | 'ending' | 'ended'
}

/** How often a frozen attempt is looked at: anybody may have continued a process of it. */
const lookEveryMs = 5_000
const startPauseMs = 10

/** Whether an attempt is frozen: its clock, its processes, and the record by which the next manager goes on. */
export class Suspension {
  readonly clock: AttemptClock
  readonly #options: SuspensionOptions
  readonly #freezer: TreeFreezer
  /** True when an earlier manager froze or thawed it and may not have finished. */
  #isInherited = false
  #busy = 0
  #lookedAt: number

  constructor(options: SuspensionOptions) {
    const { context, task, root, phase } = options
    this.#options = options
    this.clock = new AttemptClock(context.clock, context.bootId, task.elapsedMs, task.frozen)
    this.#lookedAt = context.clock.monotonic()
    this.#freezer = new TreeFreezer({
      killer: { table: context.table, scanner: context.scanner, clock: context.clock, abandoned: context.detached },
      root,
      isRunning: () => phase() === 'running',
      log: context.log,
      unitId: task.fence.unitId,
    })
  }

  resume(started: StartRecord | null, record: ClockRecord | null): void {
    this.clock.resume(started, record)
    this.#isInherited = record !== null
  }

  /** @throws QueueError invalid_transition where processes cannot be suspended */
  freeze(): Promise<void> {
    return this.#set(true)
  }

  thaw(): Promise<void> {
    return this.#set(false)
  }

  /** It runs from now on: what was wished before, or by an earlier manager, is done. */
  began(): void {
    if (this.clock.isFrozen || this.#isInherited) this.#applyUnheard()
  }

  /** Called now and then while it runs. */
  look(): void {
    const now = this.#options.context.clock.monotonic()
    if (!this.clock.isFrozen || this.#busy > 0 || now - this.#lookedAt < lookEveryMs) return
    this.#applyUnheard()
  }

  async #set(frozen: boolean): Promise<void> {
    const { context, phase } = this.#options
    if (frozen && process.platform === 'win32') {
      throw new QueueError('invalid_transition', 'processes cannot be suspended on Windows', {
        remedy: 'Pause without freeze: what runs is allowed to finish.',
      })
    }
    if (phase() === 'ending' || phase() === 'ended') return
    if (this.clock.isFrozen !== frozen) this.clock.setFrozen(frozen)
    while (phase() === 'preparing' && !context.detached()) await sleep(startPauseMs)
    await this.#apply()
  }

  /** Does what is wished by now; a wish that changed while it was waited for is not done any more. */
  async #apply(): Promise<void> {
    const { context, phase } = this.#options
    if (phase() !== 'running' || context.detached()) return
    this.#busy++
    try {
      // Before the first signal: a manager that dies here leaves a record that the next one completes.
      this.#writeRecord()
      await (this.clock.isFrozen ? this.#freezer.freeze() : this.#freezer.thaw())
    } finally {
      this.#busy--
      this.#lookedAt = context.clock.monotonic()
    }
  }

  #applyUnheard(): void {
    const { context, task } = this.#options
    this.#apply().catch((error: unknown) => {
      if (context.detached()) return
      context.log.error({ unit: task.fence.unitId, err: error }, 'a command cannot be frozen or thawed now')
    })
  }

  #writeRecord(): void {
    const { context, directory } = this.#options
    try {
      writeClock(directory, this.clock.record())
    } catch (error) {
      // The command may have removed its directory. The database knows the elapsed time to within seconds.
      context.log.debug({ directory, err: error }, 'the clock of an attempt is not written')
    }
  }
}
