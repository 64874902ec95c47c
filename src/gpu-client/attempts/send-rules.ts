import type { WorkerFault } from '../worker-client.ts'
import type { AttemptTimings } from './timings.ts'

/** What was tried so far to hand an attempt over. */
export interface SendTries {
  /** A request may have arrived: whatever fails now, the attempt may run there. */
  mayRun: boolean
  notSent: number
  serverErrors: number
  /** Ms waited for a worker that was busy. */
  waitedMs: number
  /** The files of the request were sent again, since it lacked one. */
  filesAgain: number
}

export type SendDecision =
  /** The same request once more. */
  | { readonly kind: 'again'; readonly afterMs: number }
  /** It may have arrived: ask. */
  | { readonly kind: 'ask' }
  | { readonly kind: 'next_worker' }
  /** The same input would be refused again. */
  | { readonly kind: 'fail' }
  /** Over, nothing runs there. */
  | { readonly kind: 'return' }
  /** Over; `surely`: nothing may run here before it is known, or the lease is over. Else one cancel request, then it is over. */
  | { readonly kind: 'wind_down'; readonly surely: boolean }

export const noTries: Readonly<SendTries> = {
  mayRun: false,
  notSent: 0,
  serverErrors: 0,
  waitedMs: 0,
  filesAgain: 0,
}

const notSentRetries = 2
const serverErrorRetries = 1
const filesAgainRetries = 1
/** A proxy says so when it lost the answer of a worker that may have taken the request. */
const proxyCodes: ReadonlySet<string> = new Set(['HTTP_502', 'HTTP_504'])
/** It said no, in a way that no worker does. */
const plainRefusal = /^(?:REDIRECT|HTTP_3\d\d|HTTP_4\d\d)$/

/** The error table of gpu-offload.md 3.4, for what a PUT, or a file sent before it, ran into. Counts what it decides in `tries`. */
export function decideSend(
  fault: WorkerFault,
  tries: SendTries,
  { random, timings }: { readonly random: () => number; readonly timings: AttemptTimings },
): SendDecision {
  const over: SendDecision = tries.mayRun ? { kind: 'wind_down', surely: true } : { kind: 'return' }
  switch (fault.kind) {
    case 'not_sent': {
      if (tries.mayRun) return { kind: 'ask' }
      if (tries.notSent >= notSentRetries) return { kind: 'return' }
      const afterMs = random() * timings.retryMs * 2 ** tries.notSent
      tries.notSent += 1
      return { kind: 'again', afterMs }
    }
    case 'busy':
    case 'slow_down': {
      if (proxyCodes.has(fault.code)) tries.mayRun = true
      // Without a pause a worker that asks for none would be asked for ever.
      const pauseMs = Math.max(fault.retryAfterMs ?? timings.busyMs * (0.5 + random()), timings.retryMs)
      // What would be waited for in vain is not waited for.
      if (tries.waitedMs + pauseMs > timings.queueWaitMs)
        return tries.mayRun ? { kind: 'wind_down', surely: true } : { kind: 'return' }
      tries.waitedMs += pauseMs
      return { kind: 'again', afterMs: pauseMs }
    }
    case 'server_error': {
      if (tries.serverErrors >= serverErrorRetries) return { kind: 'wind_down', surely: tries.mayRun }
      tries.serverErrors += 1
      return { kind: 'again', afterMs: random() * timings.retryMs }
    }
    case 'file_missing':
      if (tries.filesAgain >= filesAgainRetries) return over
      tries.filesAgain += 1
      return { kind: 'again', afterMs: 0 }
    case 'protocol':
      if (plainRefusal.test(fault.code)) return { kind: 'wind_down', surely: tries.mayRun }
      tries.mayRun = true
      return { kind: 'ask' }
    case 'ambiguous':
      tries.mayRun = true
      return { kind: 'ask' }
    case 'not_served':
      return tries.mayRun ? over : { kind: 'next_worker' }
    case 'rejected':
      return tries.mayRun ? over : { kind: 'fail' }
    case 'key_refused':
    case 'key_missing':
    case 'tls':
      return over
  }
}
