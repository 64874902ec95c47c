import { z } from 'zod'
import { cutText } from '../../domain/cut-text.ts'
import type { AvailableHandler, BrokenHandler } from '../../domain/handler-info.ts'
import type { JsonObject } from '../../domain/job.ts'
import type { ListJobTypesAnswer } from '../../domain/wire/jobs.ts'
import type { OperationCall } from '../../domain/wire/operations.ts'
import type { JobType } from './job-types.ts'

/** The job types there are now. */
export interface JobTypes {
  /** Looks at the handler directory again. */
  refresh(): Promise<void>
  all(): readonly JobType[]
  /** @throws QueueError unknown_job_type, handler_unavailable */
  named(name: string): JobType
  /** Null: the type is no handler. */
  handlerOf(type: string): AvailableHandler | null
  broken(): readonly BrokenHandler[]
}

type ListedType = ListJobTypesAnswer['types'][number]

/** A concise answer stays small, whatever people write into their handlers. */
const longestLine = 200
const longestProblem = 300
const longestExample = 500

/**
 * What can be submitted: every type with an example, and on request with its schemas.
 * @throws QueueError unknown_job_type, handler_unavailable for the type that was asked for
 */
export async function listJobTypes(
  { jobTypes }: { readonly jobTypes: JobTypes },
  request: OperationCall<'list_job_types'>,
): Promise<ListJobTypesAnswer> {
  await jobTypes.refresh()
  const isFull = request.detail === 'full' || request.type !== undefined
  const types = request.type === undefined ? jobTypes.all() : [jobTypes.named(request.type)]
  const broken = request.type === undefined ? jobTypes.broken() : []
  const shown = types.map((type) => listed(type, jobTypes.handlerOf(type.type), isFull))
  const firstExample = shown.find((type) => type.example !== undefined)?.example
  return {
    types: shown,
    unavailable: broken.map(({ type, file, problem }) => ({
      type,
      file,
      problem: isFull ? problem : cutText(problem, longestProblem),
    })),
    next: isFull
      ? firstExample === undefined
        ? 'list_job_types {} shows all types.'
        : `submit_job ${JSON.stringify(firstExample)} is an example.`
      : `submit_job takes each as its example shows it; list_job_types {"type":"${types[0]?.type ?? 'command'}"} shows the schemas of one.`,
  }
}

function listed(type: JobType, handler: AvailableHandler | null, isFull: boolean): ListedType {
  const example = exampleOf(type, handler)
  const isShown = example !== null && (isFull || JSON.stringify(example).length <= longestExample)
  return {
    type: type.type,
    title: isFull ? type.title : cutText(type.title, longestLine),
    description: isFull ? type.description : firstLine(type.description),
    executor: type.executor,
    source: handler === null || handler.isBuiltIn ? 'built-in' : handler.file,
    ...(isShown ? { example } : {}),
    ...(isFull ? schemasOf(type, handler) : {}),
  }
}

function exampleOf(type: JobType, handler: AvailableHandler | null): JsonObject | null {
  if (handler === null) return { type: type.type, params: { ...type.example } }
  const { example } = handler.info
  // None could be made that fits.
  return Object.keys(example).length === 0 ? null : { type: type.type, ...example }
}

function schemasOf(type: JobType, handler: AvailableHandler | null): Partial<ListedType> {
  if (handler === null) {
    const { $schema: _, ...schema } = z.toJSONSchema(type.paramsSchema, { io: 'input' }) as JsonObject
    return {
      params_schema: schema,
      unit_schema: null,
      result_schema: null,
      concurrency: null,
      gpu: type.gpu,
      pure: false,
    }
  }
  const { params_schema, unit_schema, result_schema, concurrency, pure, defaults } = handler.info
  const { gpu, version, runs_on_cpu, gpu_memory_megabytes, checkpoint_format } = handler.info
  return {
    params_schema,
    unit_schema,
    result_schema,
    concurrency,
    gpu,
    version,
    runs_on_cpu,
    gpu_memory_megabytes,
    checkpoint_format,
    pure,
    defaults,
  }
}

function firstLine(text: string): string {
  return cutText(text.split('\n', 1)[0]?.trim() ?? '', longestLine)
}
