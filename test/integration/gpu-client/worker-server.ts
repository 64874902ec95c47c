import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import type { HealthCheck } from '../../../src/domain/wire/prediction.ts'
import type { Certificate } from './certificates.ts'

/** Answers a request itself, or leaves it to the worker by returning false. */
type Answering = (request: IncomingMessage, response: ServerResponse) => unknown

export interface WorkerServer {
  readonly url: string
  readonly port: number
  /** `METHOD /path` of each request so far. */
  readonly requests: string[]
  /** Headers of each request so far. */
  readonly headers: IncomingMessage['headers'][]
  health: HealthCheck
  /** Another way to answer; for tests that change it on the way. */
  answer: Answering
  stop(): Promise<void>
}

export const goodHealth: HealthCheck = {
  status: 'READY',
  protocol: 1,
  version: '0.1.0',
  boot_id: 'boot-1',
  slots: { total: 2, free: 2 },
  gpus: [
    {
      index: 0,
      name: 'NVIDIA GeForce RTX 4090',
      uuid: 'GPU-1',
      memory_total_mb: 24_564,
      memory_used_mb: 512,
      driver_version: '570.86',
      utilization: 0,
      software: false,
    },
  ],
  job_types: { montecarlo: { version: '1', checkpoint_format: 'sums-1', gpu: true } },
}

export const fullDiscovery = {
  nightkiln_worker: '0.1.0',
  predictions_url: '/predictions',
  predictions_get_url: '/predictions/{prediction_id}',
  health_check_url: '/health-check',
}

export const goodPrediction = {
  id: 'p1',
  status: 'processing',
  attempt_token: 't1',
  boot_id: 'boot-1',
  created_at: '2030-01-01T00:00:00Z',
  started_at: null,
  completed_at: null,
  error: null,
  error_code: null,
  logs: '',
  logs_next: 0,
  logs_total: 0,
  logs_dropped: 0,
  metrics: {},
  lease_expires_in_ms: 60_000,
}

export function sendJson(
  response: ServerResponse,
  value: unknown,
  status = 200,
  headers: Record<string, string> = {},
): true {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify(value))
  return true
}

/** A worker on loopback that tells how it is, and answers the rest as the test says; it ends with the test. */
export async function serveWorker(
  options: {
    readonly answer?: Answering
    readonly certificate?: Certificate
    readonly key?: string
    readonly health?: Partial<HealthCheck>
    readonly port?: number
  } = {},
): Promise<WorkerServer> {
  const { certificate } = options
  const worker: Omit<WorkerServer, 'url' | 'port' | 'stop'> = {
    requests: [],
    headers: [],
    health: { ...goodHealth, ...options.health },
    answer: options.answer ?? (() => false),
  }
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    worker.requests.push(`${request.method} ${request.url}`)
    worker.headers.push(request.headers)
    if (worker.answer(request, response) !== false) return
    if (options.key !== undefined && request.headers.authorization !== `Bearer ${options.key}`) {
      sendJson(response, { code: 'key_refused', detail: 'wrong key' }, 401)
    } else if (request.url === '/') sendJson(response, fullDiscovery)
    else if (request.url === '/health-check') sendJson(response, worker.health)
    else sendJson(response, { code: 'not_found', detail: 'no such route' }, 404)
  }
  const server = certificate === undefined ? createServer(listener) : createTlsServer({ ...certificate }, listener)
  server.on('tlsClientError', () => undefined)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port ?? 0, '127.0.0.1', resolve)
  })
  const stop = async (): Promise<void> => {
    server.closeAllConnections()
    await new Promise((resolve) => {
      server.close(resolve)
    })
  }
  onTestFinished(stop)
  const { port } = server.address() as AddressInfo
  const url = `${certificate === undefined ? 'http' : 'https'}://127.0.0.1:${port}`
  return Object.assign(worker, { url, port, stop })
}

/** @returns a port of this machine on which nothing listens */
export async function closedPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => {
    server.close(resolve)
  })
  return port
}
