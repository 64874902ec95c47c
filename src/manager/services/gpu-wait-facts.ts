import type { DisplayFacts } from '../../domain/display-state.ts'
import type { Job } from '../../domain/job.ts'
import type { GpuFleet } from '../../domain/ports/remote-executor.ts'
import { gpuNeedOf } from '../runtime/gpu-attempts.ts'
import type { ServiceContext } from './service-context.ts'

type GpuFacts = Pick<DisplayFacts, 'gpuWait' | 'slots'>

/** @returns what the units of a job wait for at the GPU workers. Of jobs that never ask for a GPU nothing is read. */
export function gpuFactsOf(context: ServiceContext, job: Job): GpuFacts {
  if (job.gpu === 'never' || job.finishedAt !== null || job.counts.available === 0) return {}
  const { store, fleet, clock, dispatcher } = context
  const handler = context.jobTypes.handlerOf(job.type)
  const waiter = handler === null ? null : store.readGpuWaiter(job.seq, clock.now())
  const options = waiter === null ? undefined : store.readJobPayload(job.id)?.options.gpu
  if (handler === null || waiter === null || options === undefined) return {}
  const mayFallBack = options.preference === 'prefer' && options.fallback !== 'never'
  // Without any worker it runs here, and that is no fallback.
  if (mayFallBack && !fleet.isConfigured()) return {}
  const slots = dispatcher.slotsOfKind('gpu')
  const need = gpuNeedOf(handler)
  const outlook = fleet.outlookOf(need)
  if (outlook.kind === 'ready') return { slots }
  const ending = mayFallBack ? 'falls_back' : 'fails'
  if (outlook.kind === 'checking')
    return { slots, gpuWait: { said: null, busySlots: null, leftMs: null, ending: null } }
  const said = outlook.error.message
  if (outlook.kind === 'unavailable' && mayFallBack)
    return { slots, gpuWait: { said, busySlots: null, leftMs: null, ending } }
  const isBusy = outlook.kind === 'busy'
  const busySlots = isBusy ? slotsFor(fleet, need.type) : null
  if (isBusy && waiter.isServed) return { slots, gpuWait: { said, busySlots, leftMs: null, ending: null } }
  const waited = waiter.since === null ? 0 : clock.now() - waiter.since
  return { slots, gpuWait: { said, busySlots, leftMs: Math.max(0, options.waitMs - waited), ending } }
}

/** @returns the slots of the workers that serve a type; null when none is known */
function slotsFor(fleet: GpuFleet, type: string): number | null {
  const serving = fleet.status().filter(({ reachable, slots, job_types: types }) => {
    return reachable === true && slots !== null && types.includes(type)
  })
  const total = serving.reduce((sum, { slots }) => sum + (slots?.total ?? 0), 0)
  return total === 0 ? null : total
}
