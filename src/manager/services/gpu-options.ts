import { QueueError } from '../../domain/errors.ts'
import { type HandlerInfo, localTypeNames } from '../../domain/handler-info.ts'
import type { GpuOptions } from '../../domain/job.ts'
import type { SubmitRequest } from '../../domain/wire/submit.ts'

/** What a job type says of GPUs. */
export type GpuFacts = Pick<HandlerInfo, 'gpu' | 'runs_on_cpu' | 'pure'>

const waitOfPrefer = 60_000
const waitOfRequire = 24 * 3_600_000

/**
 * What a job asks of GPU workers: the submit's word, else its type's.
 * @param facts null: the type is no handler, so that no worker could serve it
 * @returns undefined: it never asks
 * @throws QueueError invalid_input for a wish that makes no sense, and says what would
 */
export function gpuOptions(type: string, facts: GpuFacts | null, request: SubmitRequest): GpuOptions | undefined {
  const preference = request.gpu ?? facts?.gpu ?? 'never'
  if (preference === 'never') {
    if (facts?.runs_on_cpu === false)
      refuse(`"${type}" has no implementation for the processor, so gpu: "never" could not run`, 'Say gpu: "require".')
    const useless = request.gpu_fallback === undefined ? 'gpu_wait_s' : 'gpu_fallback'
    if (request[useless] !== undefined)
      refuse(`${useless} is given, but the job never asks for a GPU`, `Say gpu: "prefer" too, or leave ${useless} out.`)
    return undefined
  }
  if (facts === null || localTypeNames.includes(type))
    refuse(
      `"${type}" runs on this machine alone: no GPU worker serves it`,
      'Leave gpu out, or write a handler (nightkiln new-handler) that the worker has too.',
    )
  const fallback = request.gpu_fallback
  if (preference === 'require') {
    if (fallback !== undefined)
      refuse(`gpu_fallback "${fallback}" is given with gpu: "require"`, 'Say gpu: "prefer", or leave gpu_fallback out.')
    return { preference, fallback: 'never', waitMs: waitMs(request) ?? waitOfRequire }
  }
  if (facts?.runs_on_cpu === false)
    refuse(
      `"${type}" has no implementation for the processor, so gpu: "prefer" could not fall back`,
      'Say gpu: "require": it then waits for a worker.',
    )
  if (fallback === 'immediate' && facts?.pure !== true)
    refuse(
      `gpu_fallback "immediate" may run "${type}" twice at a time, and its handler is not declared pure`,
      'Leave gpu_fallback out: it then falls back once the worker has surely stopped.',
    )
  return { preference, fallback: fallback ?? 'after_lease', waitMs: waitMs(request) ?? waitOfPrefer }
}

function waitMs({ gpu_wait_s: seconds }: SubmitRequest): number | undefined {
  return seconds === undefined ? undefined : Math.max(1, Math.round(seconds * 1000))
}

function refuse(message: string, remedy: string): never {
  throw new QueueError('invalid_input', message, { remedy })
}
