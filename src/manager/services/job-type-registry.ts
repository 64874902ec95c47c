import { QueueError } from '../../domain/errors.ts'
import type { AvailableHandler, BrokenHandler } from '../../domain/handler-info.ts'
import type { HandlerSource } from '../../domain/ports/handler-source.ts'
import type { ExecutorKind } from '../../domain/states.ts'
import { handlerJobType } from './handler-job-type.ts'
import { type JobType, ownJobTypes } from './job-types.ts'

const ownTypes: ReadonlyMap<string, JobType> = new Map(ownJobTypes.map((type) => [type.type, type]))

/** Every job type that can be submitted: Nightkiln's own, and handlers, which come and go while the manager runs. */
export class JobTypeRegistry {
  readonly #handlers: HandlerSource
  /** Made of a handler as long as it is that very one. */
  readonly #made = new Map<string, { readonly handler: AvailableHandler; readonly type: JobType }>()

  readonly #listeners = new Set<() => void>()

  constructor(handlers: HandlerSource) {
    this.#handlers = handlers
    handlers.onChange(() => {
      for (const listener of this.#listeners) listener()
    })
  }

  /** The listener is told when other types can be submitted than before. @returns the function that ends it */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Looks at the handler directory again when the type may be there. */
  async refresh(type?: string): Promise<void> {
    if (type === undefined || !ownTypes.has(type)) await this.#handlers.refresh()
  }

  /** @throws QueueError unknown_job_type naming the types that exist, handler_unavailable saying why */
  named(name: string): JobType {
    const found = ownTypes.get(name) ?? this.#handlerType(name)
    if (found !== null) return found
    const broken = this.#handlers.broken().find(({ type }) => type === name)
    if (broken !== undefined) {
      throw new QueueError('handler_unavailable', `${broken.file} cannot be used: ${broken.problem}`)
    }
    const names = this.all().map(({ type }) => type)
    throw new QueueError('unknown_job_type', `there is no job type "${name}"; there is: ${names.join(', ')}`)
  }

  all(): readonly JobType[] {
    const handlers = this.#handlers.available().flatMap(({ info }) => this.#handlerType(info.type) ?? [])
    return [...ownTypes.values(), ...handlers]
  }

  broken(): readonly BrokenHandler[] {
    return this.#handlers.broken()
  }

  handlerOf(type: string): AvailableHandler | null {
    return this.#handlers.find(type)
  }

  /** Of what the handler of a type saves; null: it is no handler, or gone. */
  checkpointFormatOf(type: string): string | null {
    return this.#handlers.find(type)?.info.checkpoint_format ?? null
  }

  /** What runs a type; of one that is gone, what ran it. */
  executorOf(type: string): ExecutorKind {
    return ownTypes.get(type)?.executor ?? 'thread'
  }

  /** Attempts of a type at once; 0: it cannot run now, since its handler is gone or broken. Null: no limit. */
  limitOf(type: string): number | null {
    if (ownTypes.has(type)) return null
    const handler = this.#handlers.find(type)
    return handler === null ? 0 : handler.info.concurrency
  }

  /** Why nothing of a type starts now; null: it can. */
  problemOf(type: string): string | null {
    if (ownTypes.has(type) || this.#handlers.find(type) !== null) return null
    const broken = this.#handlers.broken().find((each) => each.type === type)
    return broken === undefined ? 'its handler is not there any more' : `${broken.file}: ${broken.problem}`
  }

  #handlerType(name: string): JobType | null {
    const handler = this.#handlers.find(name)
    if (handler === null) return null
    const made = this.#made.get(name)
    if (made?.handler === handler) return made.type
    const type = handlerJobType(handler)
    this.#made.set(name, { handler, type })
    return type
  }
}
