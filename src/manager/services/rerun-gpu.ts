import type { GpuOptions } from '../../domain/job.ts'
import type { SubmitRequest } from '../../domain/wire/submit.ts'
import type { GpuFacts } from './gpu-options.ts'

type GpuWish = Pick<SubmitRequest, 'gpu' | 'gpu_fallback' | 'gpu_wait_s'>

/**
 * What a rerun asks of GPU workers: as the first run did, also where its type says otherwise now.
 * @param first undefined: it never asked
 * @param facts of the type as it is now; null: it is no handler
 * @param overrides another preference than that of the first run begins anew: fallback and wait belong to the old one
 */
export function gpuOfFirst(first: GpuOptions | undefined, facts: GpuFacts | null, overrides: GpuWish): GpuWish {
  if (overrides.gpu !== undefined && overrides.gpu !== (first?.preference ?? 'never')) return {}
  if (first !== undefined) {
    const { preference, fallback, waitMs } = first
    return {
      gpu: preference,
      ...(preference === 'prefer' ? { gpu_fallback: fallback } : {}),
      gpu_wait_s: waitMs / 1000,
    }
  }
  return facts === null || facts.gpu === 'never' || !facts.runs_on_cpu ? {} : { gpu: 'never' }
}
