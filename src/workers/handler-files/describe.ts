import type { HandlerDefaults, HandlerInfo } from '../../domain/handler-info.ts'
import { handlerInfo } from '../../domain/handler-info.ts'
import type { HandlerDefinition } from '../../handler/define-handler.ts'
import { checkDefinition } from './definition-schema.ts'
import { exampleOf } from './handler-example.ts'
import { inputSchema, outputSchema } from './json-schema.ts'

/**
 * @returns what a handler says of itself, as everybody but its threads sees it
 * @throws QueueError handler_unavailable with one sentence that names what is wrong in the definition
 */
export function describeHandler(definition: HandlerDefinition): HandlerInfo {
  checkDefinition(definition)
  const params = inputSchema(definition.params, 'params')
  const version = definition.version?.trim() ?? '1'
  const unit = definition.unit === undefined ? null : inputSchema(definition.unit, 'unit')
  return handlerInfo.parse({
    type: definition.type,
    title: definition.title.trim(),
    description: definition.description.trim(),
    params_schema: params,
    unit_schema: unit,
    unit_required: isRequired(definition.unit),
    result_schema: outputSchema(definition.result),
    example: exampleOf(definition, { params, unit }),
    concurrency: definition.concurrency ?? null,
    gpu: definition.gpu ?? 'never',
    version,
    checkpoint_format: definition.checkpointFormat?.trim() ?? `${definition.type}/${version}`,
    on_lease_end: definition.onLeaseEnd ?? (definition.pure === true ? 'finish' : 'cancel'),
    runs_on_cpu: definition.runsOnCpu ?? true,
    gpu_memory_megabytes: definition.gpuMemoryMegabytes ?? null,
    reusable: definition.reusable ?? false,
    pure: definition.pure ?? false,
    heap_megabytes: definition.memoryMegabytes ?? null,
    defaults: defaultsOf(definition),
  })
}

/** What needs to be waited for cannot be told here: the thread tells it then. */
function isRequired(unit: HandlerDefinition['unit']): boolean {
  try {
    return unit !== undefined && !unit.safeParse(undefined).success
  } catch {
    return false
  }
}

/** Lengths in seconds, only what was said. */
function defaultsOf({ retry, timeouts, perKey }: HandlerDefinition): HandlerDefaults {
  const backoff = given({
    initial_s: seconds(retry?.initialMs),
    max_s: seconds(retry?.maxMs),
    factor: retry?.factor,
  })
  return given({
    max_attempts: retry?.maxAttempts,
    backoff: Object.keys(backoff).length === 0 ? undefined : backoff,
    timeout_s: seconds(timeouts?.unitMs),
    idle_timeout_s: seconds(timeouts?.idleMs),
    total_timeout_s: seconds(timeouts?.totalMs),
    per_key:
      perKey === undefined
        ? undefined
        : given({
            key: perKey.key,
            concurrency: perKey.concurrency,
            rate_limit:
              perKey.rateLimit === undefined
                ? undefined
                : { count: perKey.rateLimit.count, interval_s: perKey.rateLimit.intervalMs / 1000 },
          }),
  }) as HandlerDefaults
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1000
}

function given<Shape extends object>(values: Shape): Partial<Shape> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<Shape>
}
