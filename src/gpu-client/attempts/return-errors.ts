import { cutText } from '../../domain/cut-text.ts'
import { harmlessText } from '../../domain/display-text.ts'
import type { ErrorCode, ErrorRecord } from '../../domain/errors.ts'
import { errorKinds } from '../../domain/errors.ts'
import type { AttemptEnd } from '../../domain/ports/attempt.ts'
import type { WorkerFault, WorkerFaultKind } from '../worker-client.ts'

export type ReturnReason = Extract<AttemptEnd, { kind: 'returned' }>['why']

const longestText = 4_000

const remedies: Readonly<Partial<Record<WorkerFaultKind, string>>> = {
  key_refused: 'Compare the key of this worker with the one it was started with, then run nightkiln gpu test.',
  key_missing: 'Make the key readable again (nightkiln gpu list names where it is), then run nightkiln gpu test.',
  tls: 'Run nightkiln gpu test; a worker with a certificate of its own needs --ca-file.',
}

const reasons: Readonly<Partial<Record<WorkerFaultKind, ReturnReason>>> = {
  not_sent: 'unreachable',
  ambiguous: 'unreachable',
  busy: 'busy',
  slow_down: 'busy',
  not_served: 'not_served',
}

/** @returns what a fault means for the attempt that it ends */
export function reasonOf(fault: WorkerFault): ReturnReason {
  return reasons[fault.kind] ?? 'refused'
}

/** @returns the record of a fault: never a key, never a stack */
export function recordOfFault(worker: string, fault: WorkerFault): ErrorRecord {
  return recordOf(worker, fault.code, fault.message, { remedy: remedies[fault.kind] })
}

/**
 * @param gpuError code of what really went wrong, such as ECONNREFUSED or LEASE_EXPIRED
 * @param text what the worker, or the way to it, said
 */
export function recordOf(
  worker: string,
  gpuError: string,
  text: string,
  options: { readonly code?: ErrorCode; readonly remedy?: string | undefined } = {},
): ErrorRecord {
  const code = options.code ?? 'gpu_unavailable'
  const said = cutText(harmlessText(text).trim(), longestText)
  return {
    code,
    message: code === 'gpu_unavailable' ? `GPU worker "${worker}": ${said} (${gpuError})` : said || gpuError,
    remedy: options.remedy ?? errorKinds[code].remedy,
    details: { worker, gpu_error: gpuError },
  }
}
