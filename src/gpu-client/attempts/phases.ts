import type { ErrorRecord } from '../../domain/errors.ts'
import type { Prediction } from '../../domain/wire/prediction.ts'
import type { Ending } from './prediction-end.ts'
import type { ReturnReason } from './return-errors.ts'

/** Why an attempt is brought to an end while it may run at its worker. */
export type Purpose =
  | { readonly kind: 'stop' }
  /** The worker let it run for longer than its unit may. */
  | { readonly kind: 'overtime'; readonly limitMs: number }
  | { readonly kind: 'give_up'; readonly why: ReturnReason; readonly error: ErrorRecord }

/**
 * Where an attempt is. Each phase has one step, which gives the next:
 *
 *   reserving → offering → sending → asking ⟲ → collecting → ended
 *        ↑          │          │  ↖_____│ 404      │
 *        └── not served ───────┤        │          │
 *                              └────────┴→ winding_down → ended
 *   An adopted attempt begins with asking. At a plain Cog server `connected` takes the place of sending and asking.
 */
export type Phase =
  | { readonly kind: 'reserving' }
  | { readonly kind: 'offering' }
  | { readonly kind: 'sending' }
  | { readonly kind: 'asking' }
  | { readonly kind: 'connected' }
  | { readonly kind: 'collecting'; readonly found: Prediction; readonly purpose: Purpose | null }
  | {
      readonly kind: 'winding_down'
      readonly purpose: Purpose
      /** Monotonic ms from which on it is over even without an answer. */
      readonly until: number
      /** The worker has the cancel request. */
      readonly isCancelled: boolean
    }
  /** `end` null: the attempt is somebody else's; nothing is told. */
  | { readonly kind: 'ended'; readonly end: Ending | null }

export const endedAs = (end: Ending | null): Phase => ({ kind: 'ended', end })
