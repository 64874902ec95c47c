export { z } from 'zod'
export type {
  Artifact,
  Cancellation,
  HandlerContext,
  HandlerLog,
  Json,
  SpawnOptions,
  SpawnResult,
} from './context.ts'
export {
  defineHandler,
  type HandlerDefinition,
  type HandlerKeyLimits,
  type HandlerRetry,
  type HandlerTimeouts,
} from './define-handler.ts'
export { Cancelled, RateLimited, Reject, Retry } from './outcomes.ts'
