import { type AvailableHandler, localTypeNames } from '../domain/handler-info.ts'
import type { Json, JsonObject } from '../domain/job.ts'
import type { HandlerSource } from '../domain/ports/handler-source.ts'
import type { HandlerCode } from '../domain/ports/thread-executor.ts'
import type { PredictionInput } from '../domain/wire/prediction.ts'
import type { CommandTemplates } from './templates/command-templates.ts'

/** A job type as this worker runs it. */
export interface ServedType {
  readonly type: string
  readonly version: string
  readonly checkpointFormat: string
  /** It computes on the GPU, where there is one. */
  readonly wantsGpu: boolean
  readonly handler: HandlerCode
  /** Of the processes that it starts. */
  readonly environment: Readonly<Record<string, string>>
  readonly cwd: string | null
  /** @returns what its code gets as parameters */
  paramsOf(input: PredictionInput, resume: Json | undefined): JsonObject
}

/** Of a thread whose handler does not say. */
const heapMegabytes = 512

/** The job types of a worker: what the operator declared as commands, then handlers. */
export class ServedTypes {
  readonly #handlers: HandlerSource
  readonly #templates: CommandTemplates

  constructor(handlers: HandlerSource, templates: CommandTemplates) {
    this.#handlers = handlers
    this.#templates = templates
  }

  find(type: string): ServedType | null {
    const template = this.#templates.get(type)
    if (template !== undefined) return template
    const handler = this.#handlers.find(type)
    return handler !== null && isServed(handler) ? servedHandler(handler) : null
  }

  all(): readonly ServedType[] {
    const handlers = this.#handlers.available().filter(isServed).map(servedHandler)
    return [...this.#templates.values(), ...handlers.filter(({ type }) => !this.#templates.has(type))]
  }
}

function isServed({ info, isBuiltIn }: AvailableHandler): boolean {
  return !isBuiltIn || !localTypeNames.includes(info.type)
}

function servedHandler({ info, file, revision }: AvailableHandler): ServedType {
  return {
    type: info.type,
    version: info.version,
    checkpointFormat: info.checkpoint_format,
    wantsGpu: info.gpu !== 'never',
    handler: {
      type: info.type,
      file,
      revision,
      reusable: info.reusable,
      heapMegabytes: info.heap_megabytes ?? heapMegabytes,
    },
    environment: {},
    cwd: null,
    paramsOf: ({ params }) => params as JsonObject,
  }
}
