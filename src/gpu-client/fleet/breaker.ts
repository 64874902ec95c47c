import {
  type CircuitBreakerPolicy,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  ExponentialBackoff,
  handleWhen,
  noJitterGenerator,
} from 'cockatiel'
import { z } from 'zod'
import { WorkerFault, type WorkerFaultKind } from '../worker-client.ts'
import type { FleetPace } from './pace.ts'

const counting: ReadonlySet<WorkerFaultKind> = new Set(['not_sent', 'ambiguous', 'tls', 'server_error'])
const gatewayFailures: ReadonlySet<string> = new Set(['HTTP_502', 'HTTP_503', 'HTTP_504'])

/** Failures of transport and of the server; a worker that is busy, or refuses a request, works. */
function counts(error: unknown): boolean {
  if (!(error instanceof WorkerFault) || error.code === 'ABORTED') return false
  return counting.has(error.kind) || gatewayFailures.has(error.code)
}

const openState = z.object({
  value: z.literal(CircuitState.Open),
  openedAt: z.number(),
  attemptNo: z.int().min(1).max(1_000),
})
const policyState = z.object({
  ownState: z.union([z.object({ value: z.literal(CircuitState.Closed) }), openState]),
  breakerState: z.int().min(0).max(1_000),
})

/** What outlives a restart. */
export const breakerState = z.object({
  policy: policyState,
  /** What the key was refused with: tried again only when that has changed. Null: it was not refused. */
  keyRefusedWith: z.string().max(2_000).nullable(),
  /** Code of what opened it. */
  code: z.string().max(64).nullable(),
})
export type BreakerState = z.infer<typeof breakerState>

/**
 * Keeps work away from a worker that failed several times in a row, until a health check succeeds; and from one that refused the
 * key, until the key changes.
 */
export class WorkerBreaker {
  readonly #pace: FleetPace
  readonly #changed: () => void
  #policy: CircuitBreakerPolicy
  #keyRefusedWith: string | null
  #code: string | null

  /** @param changed called when the state to be kept is another one */
  constructor(pace: FleetPace, restored: BreakerState | null, changed: () => void) {
    this.#pace = pace
    this.#keyRefusedWith = restored?.keyRefusedWith ?? null
    this.#code = restored?.code ?? null
    this.#changed = changed
    this.#policy = this.#made(restored?.policy ?? null)
  }

  #made(restored: BreakerState['policy'] | null): CircuitBreakerPolicy {
    const { breakerFailures, breakerFirstMs, breakerLongestMs } = this.#pace
    const policy = circuitBreaker(handleWhen(counts), {
      breaker: new ConsecutiveBreaker(breakerFailures),
      halfOpenAfter: new ExponentialBackoff({
        initialDelay: breakerFirstMs,
        maxDelay: breakerLongestMs,
        exponent: 2,
        generator: noJitterGenerator,
      }),
      ...(restored === null ? {} : { initialState: notFromTheFuture(restored) }),
    })
    policy.onFailure(({ reason }) => {
      if ('error' in reason && reason.error instanceof WorkerFault) this.#code = reason.error.code
    })
    return policy
  }

  /** `half_open`: one try is allowed, or under way. */
  get state(): 'closed' | 'open' | 'half_open' {
    if (this.#keyRefusedWith !== null) return 'open'
    const { state } = this.#policy
    if (state === CircuitState.Closed) return 'closed'
    return this.waits() ? 'open' : 'half_open'
  }

  /** Wall clock, ms, when the worker is tried again; null: it is not open, or only a change of the key helps. */
  get until(): number | null {
    const { ownState } = this.#kept()
    if (this.#keyRefusedWith !== null || ownState.value !== CircuitState.Open) return null
    const length = this.#pace.breakerFirstMs * 2 ** (ownState.attemptNo - 1)
    return ownState.openedAt + Math.min(length, this.#pace.breakerLongestMs)
  }

  /** True: it is too early for another try. By the clock of the library, which is the system's. */
  waits(): boolean {
    const { until } = this
    return until !== null && Date.now() < until
  }

  /** What opened it, such as ECONNREFUSED; null while it is closed. */
  get code(): string | null {
    return this.state === 'closed' ? null : this.#code
  }

  get keyRefused(): boolean {
    return this.#keyRefusedWith !== null
  }

  failed(fault: WorkerFault): void {
    // While it is open only its own probes count: attempts that began before would lengthen it.
    if (this.state !== 'closed') return
    this.#policy
      .execute(() => {
        throw fault
      })
      .catch(() => this.#changed())
  }

  succeeded(): void {
    if (this.state !== 'closed') return
    if (this.#kept().breakerState === 0) return
    this.#policy.execute(() => undefined).then(this.#changed, this.#changed)
  }

  /** Asks the worker through the breaker: success closes it, a failure doubles the wait. @throws BrokenCircuitError before `until` */
  async probe<Result>(ask: () => Promise<Result>): Promise<Result> {
    try {
      return await this.#policy.execute(ask)
    } finally {
      this.#changed()
    }
  }

  /** @param fingerprint of entry and key, as far as both can be told apart without the key itself */
  refuseKey(fingerprint: string): void {
    this.#keyRefusedWith = fingerprint
    this.#code = 'KEY_REFUSED'
  }

  /** Takes the worker back when its key is another one. @returns true when it did */
  keyIs(fingerprint: string): boolean {
    if (this.#keyRefusedWith === null || this.#keyRefusedWith === fingerprint) return false
    this.#keyRefusedWith = null
    return true
  }

  /** True: there is anything to remember. */
  hasHistory(): boolean {
    const { ownState, breakerState: failures } = this.#kept()
    return this.#keyRefusedWith !== null || failures > 0 || ownState.value !== CircuitState.Closed
  }

  /** Begins anew: somebody saw it work. */
  reset(): void {
    this.#keyRefusedWith = null
    this.#policy = this.#made(null)
  }

  toJSON(): BreakerState {
    return { policy: this.#kept(), keyRefusedWith: this.#keyRefusedWith, code: this.#code }
  }

  #kept(): BreakerState['policy'] {
    return policyState.parse(this.#policy.toJSON())
  }
}

/** A wall clock that was set back must not keep a worker away for longer than its wait. */
function notFromTheFuture(policy: BreakerState['policy']): BreakerState['policy'] {
  const { ownState } = policy
  if (ownState.value !== CircuitState.Open) return policy
  return { ...policy, ownState: { ...ownState, openedAt: Math.min(ownState.openedAt, Date.now()) } }
}
