import { harmlessText } from '../../domain/display-text.ts'
import type { Job } from '../../domain/job.ts'
import type { JobView } from '../../domain/wire/shared.ts'
import type { ServiceContext } from './service-context.ts'

export type GpuView = NonNullable<JobView['gpu']>

/** @returns what a job asks of GPU workers and how its units ran; null for a job that never asks, of which nothing is read */
export function gpuView({ store }: Pick<ServiceContext, 'store'>, job: Job): GpuView | null {
  if (job.gpu === 'never') return null
  const options = store.readJobPayload(job.id)?.options.gpu
  if (options === undefined) return null
  return {
    preference: options.preference,
    fallback: options.fallback,
    wait_s: options.waitMs / 1000,
    modes: store.readModes(job.id).map(({ mode, device, worker, units, running, fallbackReason }) => ({
      mode,
      device: device === null ? null : harmlessText(device),
      worker,
      units,
      running,
      fallback_reason: fallbackReason === null ? null : harmlessText(fallbackReason.message),
    })),
  }
}

/** @returns the modes of a job's units in one text; null while none ran */
export function modesText({ modes }: GpuView): string | null {
  const names = [...new Set(modes.map(({ mode }) => mode))]
  return names.length === 0 ? null : names.join(', ')
}
