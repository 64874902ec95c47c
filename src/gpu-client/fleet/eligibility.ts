import type { GpuNeed } from '../../domain/ports/remote-executor.ts'
import type { GpuWorkerEntry } from '../../domain/wire/gpu.ts'
import { hardwareGpus, type WorkerLook } from './worker-look.ts'

/** Why a worker that answers does not take something. */
export interface Ineligible {
  /** Such as UNKNOWN_TYPE. */
  readonly code: string
  readonly message: string
}

function refusal(code: string, message: string): Ineligible {
  return { code, message }
}

/** @returns why such a worker does not serve the need, whatever its free places are; null: it does */
export function whyNot(need: GpuNeed, entry: GpuWorkerEntry, look: WorkerLook): Ineligible | null {
  if (look.status === 'STARTING') return refusal('NOT_READY', 'it is starting')
  if (look.status !== 'READY' && look.status !== 'BUSY') {
    return refusal(look.status, `it says that it cannot work (${look.status})`)
  }
  return look.mode === 'cog' ? whyNotCog(need, entry) : whyNotFull(need, entry, look)
}

const noGpu = refusal('NO_GPU', 'it has no hardware GPU for this, and was added without --allow-cpu')

function whyNotCog(need: GpuNeed, entry: GpuWorkerEntry): Ineligible | null {
  if (entry.cog_type !== need.type) {
    return refusal(
      'UNKNOWN_TYPE',
      `a plain Cog server computes the one type that its entry names (cog_type), not ${need.type}`,
    )
  }
  if (!need.pure)
    return refusal('NOT_PURE', `a plain Cog server takes pure types only, and ${need.type} is not declared pure`)
  // It tells nothing of its GPU, so nothing may be promised.
  return entry.allow_cpu === true ? null : noGpu
}

function whyNotFull(
  need: GpuNeed,
  entry: GpuWorkerEntry,
  look: Extract<WorkerLook, { mode: 'full' }>,
): Ineligible | null {
  const served = Object.hasOwn(look.job_types, need.type) ? look.job_types[need.type] : undefined
  if (served === undefined) return refusal('UNKNOWN_TYPE', `it does not serve ${need.type}`)
  if (served.version !== need.version) {
    return refusal('UNKNOWN_VERSION', `it serves version ${served.version} of ${need.type}, not ${need.version}`)
  }
  const gpus = hardwareGpus(look)
  if (!served.gpu || gpus.length === 0) return entry.allow_cpu === true ? null : noGpu
  const wanted = need.gpuMemoryMegabytes
  if (wanted === null || gpus.some((gpu) => (gpu.memory_total_mb ?? 0) >= wanted)) return null
  return refusal('GPU_TOO_SMALL', `none of its GPUs is known to have ${wanted} MB`)
}
