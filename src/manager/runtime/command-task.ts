import { isAbsolute } from 'node:path'
import { z } from 'zod'
import { QueueError } from '../../domain/errors.ts'
import type { Fence, JobOptions } from '../../domain/job.ts'
import type { CommandTask } from '../../domain/ports/executor.ts'
import type { JobStore } from '../../domain/ports/job-store.ts'
import { type CommandParams, commandParams } from '../../domain/wire/submit.ts'

/** What the input of a command's unit holds: the submitting client's environment and the directory to run in. */
export const commandInput = z.object({ environment: z.record(z.string(), z.string()), cwd: z.string() })

/**
 * Reads what a claimed unit of a command job is to run.
 * @throws QueueError internal when the stored job cannot be read
 */
export function commandTask(
  store: JobStore,
  jobId: string,
  fence: Fence,
  options: JobOptions,
  elapsedMs: number,
): CommandTask {
  const params = commandParams.parse(store.readJobPayload(jobId)?.params)
  const input = commandInput.parse(store.readUnitPayload(fence.unitId)?.input)
  return {
    fence,
    jobId,
    spec: {
      argv: commandArgv(params),
      cwd: input.cwd,
      environment: { ...input.environment, ...params.env },
      stdin: params.stdin ?? null,
      successExitCodes: params.success_exit_codes ?? [0],
    },
    unitTimeoutMs: options.unitTimeoutMs,
    idleTimeoutMs: options.idleTimeoutMs,
    cancelGraceMs: options.cancelGraceMs,
    maxOutputBytes: options.maxOutputBytes,
    elapsedMs,
  }
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
    if (isAbsolute(params.cwd)) return params.cwd
    throw new QueueError('invalid_input', `params.cwd is "${params.cwd}", which is not an absolute path`, {
      remedy: 'Give an absolute path such as /home/you/project.',
    })
  }
  if (clientCwd !== null) return clientCwd
  throw new QueueError(
    'invalid_input',
    'params.cwd is missing, and the client runs in / or the home directory, so there is no sensible default',
    {
      remedy: 'Give params.cwd: the absolute path of the directory the command should run in.',
    },
  )
}
