import type { HealthCheck, Prediction } from '../domain/wire/prediction.ts'

/** What went wrong on the way to a worker, as far as it decides what happens next (docs/gpu-worker.md, errors). */
export type WorkerFaultKind =
  /** It surely never arrived: refused, unknown host, no route, no connection in time. */
  | 'not_sent'
  /** It may have arrived: no answer in time, or the connection broke after sending. */
  | 'ambiguous'
  /** 409: no free slot. */
  | 'busy'
  /** 429, 502, 503, 504. */
  | 'slow_down'
  /** 500. */
  | 'server_error'
  /** 401, 403. */
  | 'key_refused'
  /** The key cannot be read here. */
  | 'key_missing'
  | 'tls'
  /** 404 of a route that must be there, a redirect, no JSON, a wrong id or token, too many bytes, a lie about a size. */
  | 'protocol'
  /** The worker does not serve the type, or another version of it: try the next one. */
  | 'not_served'
  /** 422 or 413: the same input would be refused again. */
  | 'rejected'
  /** A file that the request names is not there (any more). */
  | 'file_missing'

export class WorkerFault extends Error {
  override readonly name = 'WorkerFault'
  readonly kind: WorkerFaultKind
  /** Such as ECONNREFUSED, UND_ERR_HEADERS_TIMEOUT, HTTP_500, WRONG_ID. */
  readonly code: string
  /** What the worker asked for. */
  readonly retryAfterMs: number | null

  constructor(
    kind: WorkerFaultKind,
    code: string,
    message: string,
    options: { retryAfterMs?: number | null; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause })
    this.kind = kind
    this.code = code
    this.retryAfterMs = options.retryAfterMs ?? null
  }
}

export interface PutRequest {
  readonly remoteId: string
  readonly attemptToken: string
  /** The very bytes of the body: a repeat sends the same. */
  readonly body: string
  readonly leaseSeconds: number
}

export interface GetRequest {
  readonly remoteId: string
  readonly attemptToken: string
  /** Byte offset in the log from which on it is wanted. */
  readonly logsFrom: number
  /** Null: looks without renewing the lease. */
  readonly leaseSeconds: number | null
}

/** Requests to one full worker; every answer is checked: size, JSON, schema, id and attempt token. All throw WorkerFault. */
export interface WorkerClient {
  readonly worker: string
  health(signal?: AbortSignal): Promise<HealthCheck>
  /** 202 or 200. */
  put(request: PutRequest, signal?: AbortSignal): Promise<Prediction>
  /** Null: 404, the worker does not know it. */
  get(request: GetRequest, signal?: AbortSignal): Promise<Prediction | null>
  /** Null: the worker does not know it. Safe to repeat. */
  cancel(request: Pick<GetRequest, 'remoteId' | 'attemptToken'>, signal?: AbortSignal): Promise<Prediction | null>
  /** Forgets a prediction; one that is not there is forgotten. */
  forget(remoteId: string, signal?: AbortSignal): Promise<void>
  hasFile(sha256: string, signal?: AbortSignal): Promise<boolean>
  putFile(sha256: string, bytes: Uint8Array, signal?: AbortSignal): Promise<void>
  /** Small files into memory. */
  readFile(sha256: string, maxBytes: number, signal?: AbortSignal): Promise<Uint8Array>
  /** Streams to `target` (written beside it, checked, renamed): exactly `bytes` bytes with that hash, or it throws. */
  fetchFile(sha256: string, bytes: number, target: string, signal?: AbortSignal): Promise<void>
}
