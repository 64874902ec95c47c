import { harmlessText } from '../../domain/display-text.ts'
import type { GpuWorkerEntry, GpuWorkerStatus, GpuWorkerTest } from '../../domain/wire/gpu.ts'
import type { FleetWorker } from './fleet-worker.ts'
import { troubleOf } from './outlook.ts'
import { hardwareGpus, type WorkerLook } from './worker-look.ts'

type Shown = Pick<GpuWorkerTest, 'mode' | 'gpus' | 'slots' | 'job_types' | 'version'>

const nothing: Shown = { mode: null, gpus: [], slots: null, job_types: [], version: null }

/** @returns what a look found, as people see it; its words were a stranger's */
export function shownLook(look: WorkerLook | null, entry: GpuWorkerEntry): Shown {
  if (look === null) return nothing
  const types =
    look.mode === 'full' ? Object.keys(look.job_types) : [entry.cog_type].filter((type) => type !== undefined)
  return {
    mode: look.mode,
    gpus: look.gpus.map((gpu) => ({
      name: harmlessText(gpu.name),
      memory_total_mb: gpu.memory_total_mb,
      memory_used_mb: gpu.memory_used_mb,
      driver_version: gpu.driver_version === null ? null : harmlessText(gpu.driver_version),
      software: gpu.software,
    })),
    slots: { total: look.slots.total, free: look.slots.free },
    job_types: types.map(harmlessText).sort(),
    version: look.version === null ? null : harmlessText(look.version),
  }
}

/** @returns why a worker that answers gets nothing, whatever the job; null: it does */
function uselessness({ look, entry }: FleetWorker): string | null {
  if (look === null || look.mode === 'cog' || entry.allow_cpu === true || hardwareGpus(look).length > 0) return null
  return 'no hardware GPU, and added without --allow-cpu'
}

export function statusOf(worker: FleetWorker): GpuWorkerStatus {
  const last = worker.lastLook
  const { until } = worker.breaker
  return {
    name: worker.name,
    url: worker.entry.url,
    ...shownLook(last?.look ?? null, worker.entry),
    reachable:
      worker.look !== null ? true : worker.problem !== null || worker.breaker.state !== 'closed' ? false : null,
    running: worker.running,
    breaker: worker.breaker.state,
    breaker_until: until === null ? null : new Date(until).toISOString(),
    problem: troubleOf(worker)?.message ?? uselessness(worker),
    looked_at: last === null ? null : new Date(last.wallAt).toISOString(),
  }
}
