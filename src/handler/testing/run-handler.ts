import { z } from 'zod'
import type { HandlerDefinition } from '../define-handler.ts'
import { jsonProblem } from '../json-problem.ts'
import { nothingReturned } from '../nothing-returned.ts'
import { outcomeOf } from '../outcomes.ts'
import { RecordingContext } from './recording-context.ts'
import type { CheckpointOf, HandlerRun, RunOptions, RunOutcome } from './run-options.ts'
import { temporaryDirectory } from './temporary-directory.ts'

/**
 * Runs a handler in this process, once, as a thread would: params, unit, checkpoints and result are checked, programs and files
 * are real. For tests.
 * @returns how it ended and everything it did; a handler that throws does not make this throw
 * @throws TypeError when params or unit do not fit the handler's schemas, which a submit would refuse
 */
export async function runHandler<
  Params extends z.ZodType,
  Result extends z.ZodType,
  Unit extends z.ZodType | undefined,
  Checkpoint extends z.ZodType | undefined,
>(
  handler: HandlerDefinition<Params, Unit, Result, Checkpoint>,
  options: RunOptions<Params, Unit, Checkpoint>,
): Promise<HandlerRun<Result, Checkpoint>> {
  const signal = options.signal ?? new AbortController().signal
  const directory = options.directory ?? temporaryDirectory()
  const recording = new RecordingContext(
    {
      params: await fitting(handler.params, options.params, 'params'),
      unit: await unitFor(handler.unit, options),
      position: options.position ?? 0,
      jobId: 'job_test',
      unitId: 'unit_test',
      attempt: options.attempt ?? 1,
      seed: options.seed ?? 1,
      compute: options.compute ?? 'cpu',
      signal,
      environment: options.environment ?? ownEnvironment(),
      dependencies: options.dependencies ?? {},
      resultsFile: options.resultsFile ?? null,
      lastCheckpoint: await checkpointFor(handler.checkpoint, options.lastCheckpoint ?? null),
    },
    directory,
    {
      onProgress: (progress) => options.onProgress?.(progress),
      onCheckpoint: (state) => options.onCheckpoint?.(state as CheckpointOf<Checkpoint>),
      checkCheckpoint: (state) => {
        const parsed = handler.checkpoint?.safeParse(state)
        if (parsed?.success === false) throw misfit(parsed.error, 'checkpoint')
      },
    },
  )
  const { outcome, result } = await attempt(handler, recording, signal)
  recording.end()
  return {
    outcome,
    result: result as z.output<Result> | undefined,
    progress: recording.progress,
    checkpoints: recording.checkpoints as CheckpointOf<Checkpoint>[],
    logs: recording.logs,
    artifacts: recording.artifacts,
    devices: recording.devices,
    directory,
  }
}

interface Ending {
  readonly outcome: RunOutcome
  readonly result?: unknown
}

async function attempt(
  handler: HandlerDefinition<z.ZodType, z.ZodType | undefined, z.ZodType, z.ZodType | undefined>,
  recording: RecordingContext,
  signal: AbortSignal,
): Promise<Ending> {
  try {
    const returned: unknown = await handler.run(recording.context as never)
    // It was told to stop: what it returned may be half of it.
    if (signal.aborted) return { outcome: { kind: 'cancelled' } }
    const parsed = await handler.result.safeParseAsync(returned)
    if (returned === undefined && (!parsed.success || parsed.data === undefined))
      return invalidResult(nothingReturned(handler.result))
    if (!parsed.success) return invalidResult(misfit(parsed.error, 'result').message)
    const problem = jsonProblem(parsed.data, 'result')
    if (problem !== null) return invalidResult(problem)
    await recording.finishArtifacts()
    return { outcome: { kind: 'completed' }, result: parsed.data }
  } catch (error) {
    return { outcome: thrownOutcome(error, signal) }
  }
}

function invalidResult(message: string): Ending {
  return { outcome: { kind: 'result_invalid', message } }
}

function thrownOutcome(error: unknown, signal: AbortSignal): RunOutcome {
  // What an aborted fetch or stream throws is the cancellation too.
  if (signal.aborted) return { kind: 'cancelled' }
  const outcome = outcomeOf(error)
  if (outcome?.kind === 'cancelled')
    return { kind: 'failed', message: 'the handler threw Cancelled, but nobody cancelled the attempt', error }
  const message = error instanceof Error ? error.message : String(error)
  return outcome === null ? { kind: 'failed', message, error } : { ...outcome, message }
}

async function fitting(schema: z.ZodType, value: unknown, name: string): Promise<unknown> {
  const parsed = await schema.safeParseAsync(value)
  if (parsed.success) return parsed.data
  throw misfit(parsed.error, name)
}

/** A final step has none, whatever the handler declares. */
async function unitFor(
  schema: z.ZodType | undefined,
  { unit, resultsFile }: { readonly unit?: unknown; readonly resultsFile?: string | null },
): Promise<unknown> {
  const isFinalStep = typeof resultsFile === 'string'
  return schema === undefined || isFinalStep ? unit : await fitting(schema, unit, 'unit')
}

function misfit(error: z.ZodError, name: string): TypeError {
  return new TypeError(`${name} does not fit the handler's schema: ${z.prettifyError(error)}`)
}

/** What does not fit any more is not handed over. */
async function checkpointFor(schema: z.ZodType | undefined, state: unknown): Promise<never> {
  if (schema === undefined || state === null) return state as never
  const parsed = await schema.safeParseAsync(state)
  return (parsed.success ? parsed.data : null) as never
}

function ownEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  )
}
