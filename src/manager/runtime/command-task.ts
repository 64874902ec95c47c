import { isAbsolute } from 'node:path'
import { z } from 'zod'
import { renderCommand } from '../../domain/command-template.ts'
import { QueueError } from '../../domain/errors.ts'
import type { Fence, Job, JobOptions, Json, RunningUnit } from '../../domain/job.ts'
import type { CommandTask } from '../../domain/ports/executor.ts'
import type { JobPayload, JobStore } from '../../domain/ports/job-store.ts'
import { unitEnvironment, unitFiles } from '../../domain/unit-environment.ts'
import { type CommandParams, commandParams } from '../../domain/wire/submit.ts'

/** What is kept of the submitting client: its environment, and the directory to run in where it has one. */
export const clientContext = z.object({ environment: z.record(z.string(), z.string()), cwd: z.string().nullable() })

/** Names the file with all results, for the final step. */
const resultsVariable = 'NIGHTKILN_RESULTS'

export interface TaskState {
  /** Awake monotonic ms already used by this attempt (adoption). */
  readonly elapsedMs: number
  readonly frozen: boolean
  /** File with all results, for a final step. */
  readonly resultsFile: string | null
}

export interface TaskSources {
  readonly store: JobStore
  readonly dependencies: ReadonlyMap<string, Json>
}

/**
 * Makes what a claimed unit of a command job is to run: every placeholder replaced.
 * @throws QueueError invalid_input when the unit does not fit the placeholders
 */
export function commandTask(
  { store, dependencies }: TaskSources,
  job: Job,
  payload: JobPayload,
  unit: RunningUnit,
  state: TaskState,
): CommandTask {
  const params = commandParams.parse(unit.finalStep ? payload.finalStep?.params : payload.params)
  const client = clientContext.parse(payload.context)
  const value = unitValue(job, unit, store.readUnitPayload(unit.id)?.input ?? null)
  const rendered = renderCommand(params, {
    unit: value,
    index: unit.position,
    job: { id: job.id },
    attempt: unit.attempt,
    dependencies,
  })
  return {
    fence: fenceOf(unit),
    jobId: job.id,
    spec: {
      argv: rendered.argv,
      cwd: rendered.cwd ?? client.cwd ?? '/',
      environment: {
        ...client.environment,
        ...(value === undefined ? {} : unitEnvironment(value, unit.position)),
        ...(state.resultsFile === null ? {} : { [resultsVariable]: state.resultsFile }),
        ...rendered.env,
      },
      stdin: rendered.stdin,
      interactive: params.interactive ?? false,
      successExitCodes: params.success_exit_codes ?? [0],
    },
    files: unitFiles(value, dependencies),
    frozen: state.frozen,
    ...limitsOf(payload.options),
    elapsedMs: state.elapsedMs,
  }
}

/** @returns the limits of one attempt */
export function limitsOf({ unitTimeoutMs, idleTimeoutMs, cancelGraceMs, maxOutputBytes }: JobOptions) {
  return { unitTimeoutMs, idleTimeoutMs, cancelGraceMs, maxOutputBytes }
}

/** @returns the value of a unit; undefined for the one unit of a plain job, which has none */
export function unitValue(job: Job, unit: RunningUnit, input: Json): Json | undefined {
  if (unit.finalStep) return undefined
  return input === null && job.counts.total <= 1 ? undefined : input
}

/** @returns the fence of a running unit. */
export function fenceOf(unit: RunningUnit): Fence {
  return { unitId: unit.id, attempt: unit.attempt, nonce: unit.nonce, workerId: unit.workerId }
}

/** @returns program and arguments; a script runs under /bin/sh. */
export function commandArgv(params: CommandParams): string[] {
  return params.shell === true ? ['/bin/sh', '-c', params.script ?? ''] : (params.argv ?? [])
}

/**
 * Decides the directory a command runs in: as asked, else the submitting client's own.
 * @throws QueueError invalid_input when neither says where
 */
export function commandDirectory(params: CommandParams, clientCwd: string | null): string {
  if (params.cwd !== undefined) {
    // With a placeholder at its beginning it is known only when the unit is.
    if (isAbsolute(params.cwd) || params.cwd.startsWith('{{')) return params.cwd
    throw new QueueError('invalid_input', `params.cwd is "${params.cwd}", which is not an absolute path`, {
      remedy: 'Give an absolute path such as /home/you/project.',
    })
  }
  if (clientCwd !== null) return clientCwd
  throw new QueueError(
    'invalid_input',
    'params.cwd is missing, and there is no sensible default: the client runs in / or the home directory, or calls over HTTP',
    {
      remedy:
        'Give params.cwd: the absolute path of the directory the command should run in, such as /home/you/project.',
    },
  )
}
