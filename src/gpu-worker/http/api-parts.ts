import type { HttpBindings } from '@hono/node-server'
import type { Context, Hono } from 'hono'
import { predictionId, sha256 } from '../../domain/wire/prediction.ts'
import type { ExecutorLog } from '../../workers/executor-context.ts'
import type { Gpus } from '../devices/gpus.ts'
import type { KeyCheck } from '../key-file.ts'
import { Refused } from '../refused.ts'
import type { Answer } from '../runs/answer.ts'
import type { Predictions } from '../runs/predictions.ts'
import type { ServedTypes } from '../served-types.ts'
import type { FileStore } from '../storage/file-store.ts'
import type { ReceivePace } from './read-request.ts'

/** What the routes of a worker stand on. */
export interface ApiOptions {
  readonly predictions: Predictions
  readonly files: FileStore
  readonly types: ServedTypes
  readonly gpus: Gpus
  readonly slots: number
  readonly bootId: string
  /** Null: this machine alone. */
  readonly key: KeyCheck | null
  readonly log: ExecutorLog
  readonly pace: ReceivePace
  /** For predictions whose id the client leaves to the worker. */
  readonly newId: () => string
}

export type WorkerApi = Hono<{ Bindings: HttpBindings }>
export type ApiContext = Context<{ Bindings: HttpBindings }>

/** @returns the id in the path @throws Refused bad_request */
export function idOf(context: ApiContext): string {
  const parsed = predictionId.safeParse(context.req.param('id'))
  if (!parsed.success) throw new Refused('bad_request', 'the id must consist of letters, digits, - and _, 64 at most')
  return parsed.data
}

/** @returns the hash in the path @throws Refused bad_request */
export function hashOf(context: ApiContext): string {
  const parsed = sha256.safeParse(context.req.param('sha256'))
  if (!parsed.success) throw new Refused('bad_request', 'a file is named by the SHA-256 of its content, in hex')
  return parsed.data
}

/** @returns the prediction as it is told, with where to ask for it again */
export function shown(
  context: ApiContext,
  { prediction }: Answer,
  status: 200 | 201 | 202,
  more: object = {},
): Response {
  const at = `${originOf(context)}/predictions/${prediction.id}`
  return context.json({ ...prediction, ...more, urls: { get: at, cancel: `${at}/cancel` } }, status)
}

/** @returns how this client reaches the worker */
export function originOf(context: ApiContext): string {
  return new URL(context.req.url).origin
}
