import type { Logger } from 'pino'
import { QueueError } from '../../domain/errors.ts'
import type { AvailableHandler } from '../../domain/handler-info.ts'
import type { Fence, Job, Json, JsonObject } from '../../domain/job.ts'
import type { HeldUnit, JobPayload, JobStore } from '../../domain/ports/job-store.ts'
import type { Checkpoint } from '../../domain/ports/remote-executor.ts'
import type { HandlerJob, HandlerStart, ThreadExecutor } from '../../domain/ports/thread-executor.ts'
import type { AttemptStarter, Beginning } from './attempt-starter.ts'
import { clientContext, limitsOf, unitValue } from './command-task.ts'
import type { DependencyValues } from './dependency-values.ts'

export interface HandlerAttemptsOptions {
  readonly store: JobStore
  readonly executor: ThreadExecutor
  readonly dependencies: DependencyValues
  /** Null: its file was removed or is broken. */
  readonly handlerOf: (type: string) => AvailableHandler | null
  readonly log: Logger
  /** Of a thread whose handler does not say. */
  readonly heapMegabytes: number
}

/** Begins units of jobs whose type is a handler: they run in threads of a host process. */
export class HandlerAttempts implements AttemptStarter {
  readonly #options: HandlerAttemptsOptions

  constructor(options: HandlerAttemptsOptions) {
    this.#options = options
  }

  start(job: Job, payload: JobPayload, beginnings: readonly Beginning[], resultsFile: string | null): void {
    const { store, executor } = this.#options
    const unitIds = beginnings.map(({ fence }) => fence.unitId)
    // What ran before may have left a checkpoint, or been lost together with others.
    const again = beginnings.filter(({ unit }) => unit.attempt > 1).map(({ fence }) => fence.unitId)
    const checkpoints = again.length === 0 ? none : store.readCheckpoints(again)
    const lost = again.length === 0 ? noneLost : store.wasLostLast(again)
    const inputs = store.readUnitInputs(unitIds)
    const starts: HandlerStart[] = beginnings.map(({ unit, fence, observer }) => ({
      task: {
        fence,
        unit: unitValue(job, unit, inputs.get(unit.id) ?? null),
        position: unit.position,
        checkpoint: this.#usable(job, checkpoints.get(unit.id)),
        resultsFile,
        compute: 'cpu',
        alone: lost.has(unit.id),
      },
      observer,
    }))
    const controls = executor.start(this.#handlerJob(job, payload, beginnings[0]?.unit.finalStep === true), starts)
    for (const [index, control] of controls.entries()) beginnings[index]?.began(control)
  }

  adopt(held: HeldUnit, _payload: JobPayload, beginning: Beginning): void {
    beginning.began(this.#options.executor.adopt(held.fence, held.elapsedMs, beginning.observer))
  }

  acknowledge(fences: readonly Fence[]): void {
    this.#options.executor.acknowledge(fences)
  }

  detach(): void {
    this.#options.executor.detach()
  }

  /** One in another format, of another version of the handler, would be misread: the unit starts from zero. */
  #usable(job: Job, checkpoint: Checkpoint | undefined): Json | undefined {
    if (checkpoint === undefined) return undefined
    const format = this.#options.handlerOf(job.type)?.info.checkpoint_format
    if (checkpoint.format === null || format === undefined || checkpoint.format === format) return checkpoint.state
    this.#options.log.warn(
      { job: job.id, found: checkpoint.format, format },
      'a checkpoint in another format is left out',
    )
    return undefined
  }

  #handlerJob(job: Job, payload: JobPayload, isFinalStep: boolean): HandlerJob {
    const { handlerOf, heapMegabytes, dependencies } = this.#options
    const handler = handlerOf(job.type)
    if (handler === null) {
      throw new QueueError(
        'handler_unavailable',
        `its handler could not be loaded: that of "${job.type}" is not there any more, or is broken`,
      )
    }
    const { info, file, revision } = handler
    const { environment, cwd } = clientContext.parse(payload.context)
    return {
      jobId: job.id,
      handler: {
        type: job.type,
        file,
        revision,
        reusable: info.reusable,
        heapMegabytes: info.heap_megabytes ?? heapMegabytes,
      },
      params: (isFinalStep ? payload.finalStep?.params : payload.params) ?? {},
      dependencies: Object.fromEntries(dependencies.of(job)) as JsonObject,
      environment,
      cwd,
      ...limitsOf(payload.options),
    }
  }
}

const none: ReadonlyMap<string, Checkpoint> = new Map()
const noneLost: ReadonlySet<string> = new Set()
