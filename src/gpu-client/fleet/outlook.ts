import type { ErrorRecord } from '../../domain/errors.ts'
import { errorKinds } from '../../domain/errors.ts'
import { formatInstant } from '../../domain/format-instant.ts'
import type { GpuNeed, GpuOutlook } from '../../domain/ports/remote-executor.ts'
import { whyNot } from './eligibility.ts'
import type { FleetWorker } from './fleet-worker.ts'

/** What one worker can do for a need now. */
export type Standing =
  | { readonly kind: 'ready'; readonly free: number }
  | { readonly kind: 'checking' }
  | { readonly kind: 'busy'; readonly message: string }
  | { readonly kind: 'unavailable'; readonly code: string; readonly message: string }

interface Trouble {
  readonly code: string
  readonly message: string
}

/** @returns why a worker is not even asked now; null: it may be */
function barOf(worker: FleetWorker): Trouble | null {
  const { breaker } = worker
  if (breaker.keyRefused) {
    return {
      code: 'KEY_REFUSED',
      message:
        worker.entry.key === undefined
          ? 'it wants a key, and none is configured for it here (--key-file)'
          : 'it refused the key; it is asked again when the key file or its entry changes',
    }
  }
  const { code, until } = breaker
  if (until === null || !breaker.waits()) return null
  const cause = worker.problem === null ? `it failed several times (${code ?? 'unknown'})` : sentenceOf(worker)
  return { code: code ?? 'CIRCUIT_OPEN', message: `${cause}; circuit open until ${formatInstant(until)}` }
}

/** @returns what keeps a worker from being used, as far as it is known; null: nothing */
export function troubleOf(worker: FleetWorker): Trouble | null {
  const bar = barOf(worker)
  if (bar !== null || worker.problem === null) return bar
  return { code: worker.problem.fault.code, message: sentenceOf(worker) }
}

function sentenceOf({ problem }: FleetWorker): string {
  if (problem === null) return ''
  const { fault, tries } = problem
  return `${fault.message} (${fault.code}${tries > 1 ? `, ${tries} tries` : ''})`
}

export function standingOf(worker: FleetWorker, need: GpuNeed): Standing {
  const bar = barOf(worker)
  if (bar !== null) return { kind: 'unavailable', ...bar }
  const { look } = worker
  if (worker.isKnown()) {
    const trouble = troubleOf(worker)
    if (trouble !== null) return { kind: 'unavailable', ...trouble }
    const refusal = look === null ? null : whyNot(need, worker.entry, look)
    if (refusal !== null) return { kind: 'unavailable', ...refusal }
    if (look !== null && worker.free === 0) {
      return { kind: 'busy', message: `all its places are taken (${look.slots.total})` }
    }
    if (look !== null && worker.isFresh()) return { kind: 'ready', free: worker.free }
  }
  if (!worker.isSilent()) return { kind: 'checking' }
  return { kind: 'unavailable', code: 'NO_ANSWER', message: 'no answer so far' }
}

const shownWorkers = 3

function unavailable(worker: string | null, code: string, message: string): ErrorRecord {
  return {
    code: 'gpu_unavailable',
    message,
    remedy: errorKinds.gpu_unavailable.remedy,
    details: { ...(worker === null ? {} : { worker }), gpu_error: code },
  }
}

/** @param trouble of the configuration file, when it cannot be read */
export function outlookOf(workers: readonly FleetWorker[], need: GpuNeed, trouble: string | null): GpuOutlook {
  if (workers.length === 0) {
    const error =
      trouble === null
        ? unavailable(null, 'NOT_CONFIGURED', 'no GPU worker is configured')
        : unavailable(null, 'CONFIG_INVALID', trouble)
    return { kind: 'unavailable', error }
  }
  const standings = workers.map((worker) => ({ name: worker.name, standing: standingOf(worker, need) }))
  if (standings.some(({ standing }) => standing.kind === 'ready')) return { kind: 'ready' }
  if (standings.some(({ standing }) => standing.kind === 'checking')) return { kind: 'checking' }
  const told: { name: string; code: string; message: string }[] = []
  const busy: { name: string; code: string; message: string }[] = []
  for (const { name, standing } of standings) {
    if (standing.kind === 'busy') busy.push({ name, code: 'BUSY', message: standing.message })
    if (standing.kind === 'unavailable') told.push({ name, code: standing.code, message: standing.message })
  }
  const shown = busy.length > 0 ? busy : told
  const words = shown.slice(0, shownWorkers).map(({ name, message }) => `worker "${name}": ${message}`)
  const more = shown.length > shownWorkers ? `; and ${shown.length - shownWorkers} more` : ''
  const [first] = shown
  const error = unavailable(first?.name ?? null, first?.code ?? 'UNKNOWN', words.join('; ') + more)
  return { kind: busy.length > 0 ? 'busy' : 'unavailable', error }
}
