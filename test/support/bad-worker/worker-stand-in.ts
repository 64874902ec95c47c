import { createHash, randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { Clock } from '../../../src/domain/clock.ts'
import type { Json } from '../../../src/domain/job.ts'

export type Route = 'put' | 'get' | 'cancel' | 'delete' | 'file' | 'other'

/** One request, in the hands of a fault. */
export interface Exchange {
  readonly route: Route
  /** Of the prediction, or hash of the file. */
  readonly id: string
  /** So many requests of this route came before. */
  readonly earlier: number
  readonly body: Buffer
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly worker: WorkerStandIn
  /** What a good worker would answer; computed when it is asked for, with all its effects. */
  good(): { readonly status: number; readonly body: unknown }
  json(status: number, body: unknown, headers?: Readonly<Record<string, string>>): void
}

/** Answers in place of the good worker; `pass` leaves it to that. */
export type Misbehaviour = (exchange: Exchange) => 'pass' | undefined

/** One run of a handler over there. */
export interface StandInRun {
  readonly id: string
  readonly token: string
  readonly input: { readonly resume: Json; readonly seed: number; readonly params: Json } & Record<string, unknown>
  readonly bytes: string
  /** Monotonic ms; null: without a lease. */
  leaseUntil: number | null
  status: 'starting' | 'processing' | 'succeeded' | 'failed' | 'canceled'
  errorCode: string | null
  error: string | null
  polls: number
  log: string
}

export interface StandInOptions {
  readonly clock: Pick<Clock, 'monotonic'>
  readonly key: string
  readonly misbehave?: Misbehaviour
  /** It has run when it was looked at so often; default 3. */
  readonly polls?: number
  /** Said of each prediction in addition, such as a failure or artifacts. */
  readonly terminal?: Readonly<Record<string, unknown>>
  readonly always?: Readonly<Record<string, unknown>>
  readonly tls?: { readonly key: string; readonly cert: string }
  readonly files?: ReadonlyMap<string, Buffer>
}

export interface WorkerStandIn {
  readonly url: string
  /** Each began once; one more for the same id would be a second effect. */
  readonly runs: readonly StandInRun[]
  readonly requests: readonly {
    readonly route: Route
    readonly id: string
    readonly lease: string | null
    readonly at: number
  }[]
  readonly files: Map<string, Buffer>
  readonly sockets: ReadonlySet<Socket>
  bootId: string
  /** Its process dies: nothing listens any more. */
  die(): void
  /** Started again: what ran is marked, what ended is kept. */
  restart(): void
  close(): Promise<void>
}

export function sha256Of(bytes: string | Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

const created = '2030-01-01T00:00:00.000Z'

/** A good worker in memory, on the clock of the test: a run goes on by a step with each look. A misbehaviour may answer instead. */
export async function startWorkerStandIn(options: StandInOptions): Promise<WorkerStandIn> {
  const { clock, key, misbehave, polls: pollsToEnd = 3 } = options
  const runs: StandInRun[] = []
  const known = new Map<string, StandInRun>()
  const requests: { route: Route; id: string; lease: string | null; at: number }[] = []
  const files = new Map(options.files)
  const sockets = new Set<Socket>()

  const expire = (run: StandInRun): void => {
    if (isOver(run) || run.leaseUntil === null || clock.monotonic() <= run.leaseUntil) return
    run.status = 'failed'
    run.errorCode = 'LEASE_EXPIRED'
    run.error = 'nobody renewed its lease'
  }

  const view = (run: StandInRun, logsFrom: number): Record<string, unknown> => {
    const log = Buffer.from(run.log)
    const over = isOver(run)
    return {
      id: run.id,
      status: run.status,
      attempt_token: run.token,
      boot_id: worker.bootId,
      created_at: created,
      started_at: created,
      completed_at: over ? created : null,
      ...(run.status === 'succeeded' ? { output: { sum: 42, seed: run.input.seed } } : {}),
      artifacts: [],
      error: run.error,
      error_code: run.errorCode,
      retry: null,
      logs: log.subarray(logsFrom).toString(),
      logs_next: log.length,
      logs_total: log.length,
      logs_dropped: 0,
      metrics: { progress: { current: run.polls, total: pollsToEnd, message: null, stage: null }, predict_time: 1 },
      checkpoint: null,
      device: { name: 'Stand-in 1000', kind: 'gpu' },
      lease_expires_in_ms: over || run.leaseUntil === null ? null : run.leaseUntil - clock.monotonic(),
      ...options.always,
      ...(over && run.errorCode !== 'LEASE_EXPIRED' && run.status !== 'canceled' ? options.terminal : {}),
    }
  }

  const put = (id: string, body: Buffer, lease: number | null): { status: number; body: unknown } => {
    const sent = JSON.parse(body.toString()) as { id?: string; input?: StandInRun['input']; input_sha256?: string }
    if (sent.id !== undefined && sent.id !== id)
      return { status: 422, body: { code: 'bad_request', detail: 'other id' } }
    const text = sent.input === undefined ? files.get(sent.input_sha256 ?? '')?.toString() : JSON.stringify(sent.input)
    if (text === undefined) return { status: 422, body: { code: 'file_missing', detail: 'no such file' } }
    const earlier = known.get(id)
    if (earlier !== undefined) {
      if (earlier.bytes !== text) return { status: 422, body: { code: 'input_differs', detail: 'other input' } }
      renew(earlier, lease)
      return { status: isOver(earlier) ? 200 : 202, body: view(earlier, 0) }
    }
    const input = JSON.parse(text) as StandInRun['input']
    const run: StandInRun = {
      id,
      token: String(input['attempt_token']),
      input,
      bytes: text,
      leaseUntil: lease === null ? null : clock.monotonic() + lease * 1_000,
      status: 'processing',
      errorCode: null,
      error: null,
      polls: 0,
      log: 'begins\n',
    }
    runs.push(run)
    known.set(id, run)
    return { status: 202, body: view(run, 0) }
  }

  const renew = (run: StandInRun, lease: number | null): void => {
    // Expiry first: a late request brings nothing back.
    expire(run)
    if (!isOver(run) && lease !== null) run.leaseUntil = clock.monotonic() + lease * 1_000
  }

  const advance = (run: StandInRun): void => {
    if (isOver(run)) return
    run.polls += 1
    run.log += `step ${run.polls}\n`
    if (run.polls < pollsToEnd) return
    run.status = 'succeeded'
    const terminal = options.terminal as { status?: StandInRun['status'] } | undefined
    if (terminal?.status !== undefined) run.status = terminal.status
  }

  const answerGood = (
    route: Route,
    id: string,
    request: IncomingMessage,
    body: Buffer,
  ): { status: number; body: unknown } => {
    const header = request.headers['worker-lease']
    const lease = header === undefined ? null : Number(header)
    if (route === 'file') return answerFile(id, request, body)
    if (route === 'put') return put(id, body, lease)
    const run = known.get(id)
    if (run === undefined) return { status: 404, body: { code: 'not_found', detail: 'no such prediction' } }
    if (route === 'delete') {
      known.delete(id)
      return { status: 204, body: null }
    }
    renew(run, lease)
    if (route === 'cancel') {
      if (!isOver(run)) run.status = 'canceled'
      return { status: 200, body: view(run, 0) }
    }
    advance(run)
    const from = new URL(request.url ?? '/', 'http://x').searchParams.get('logs_from')
    return { status: 200, body: view(run, Number(from ?? 0)) }
  }

  const answerFile = (hash: string, request: IncomingMessage, body: Buffer): { status: number; body: unknown } => {
    if (request.method === 'PUT') {
      if (sha256Of(body) !== hash) return { status: 422, body: { code: 'hash_differs', detail: 'other content' } }
      files.set(hash, body)
      return { status: 201, body: null }
    }
    const found = files.get(hash)
    return found === undefined ? { status: 404, body: null } : { status: 200, body: found }
  }

  const answer = (request: IncomingMessage, response: ServerResponse, body: Buffer): void => {
    const { route, id } = routeOf(request)
    const earlier = requests.filter((one) => one.route === route).length
    requests.push({
      route,
      id,
      lease: (request.headers['worker-lease'] as string | undefined) ?? null,
      at: clock.monotonic(),
    })
    let given: { status: number; body: unknown } | null = null
    const good = (): { status: number; body: unknown } => {
      given ??= answerGood(route, id, request, body)
      return given
    }
    const json = (status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): void => {
      const bytes = Buffer.isBuffer(value)
        ? value
        : value === null
          ? Buffer.alloc(0)
          : Buffer.from(JSON.stringify(value))
      const type = Buffer.isBuffer(value) ? 'application/octet-stream' : 'application/json'
      response.writeHead(status, { 'content-type': type, 'content-length': String(bytes.length), ...headers })
      response.end(request.method === 'HEAD' ? undefined : bytes)
    }
    if (
      misbehave?.({ route, id, earlier, body, request, response, worker, good, json }) !== 'pass' &&
      misbehave !== undefined
    )
      return
    if (request.headers.authorization !== `Bearer ${key}`) {
      json(401, { code: 'key_refused', detail: 'wrong key' })
      return
    }
    const { status, body: value } = good()
    json(status, value)
  }

  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    const pieces: Buffer[] = []
    request.on('data', (piece: Buffer) => pieces.push(piece))
    request.on('end', () => answer(request, response, Buffer.concat(pieces)))
    request.on('error', () => undefined)
    response.on('error', () => undefined)
  }
  const server: Server = options.tls === undefined ? createServer(listener) : createTlsServer(options.tls, listener)
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
  })
  server.on('tlsClientError', () => undefined)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo

  const worker: WorkerStandIn = {
    url: `${options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    runs,
    requests,
    files,
    sockets,
    bootId: randomUUID(),
    die() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
    restart() {
      worker.bootId = randomUUID()
      for (const run of known.values()) {
        if (isOver(run)) continue
        run.status = 'failed'
        run.errorCode = 'WORKER_RESTARTED'
        run.error = 'the worker was restarted while it ran'
      }
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      if (server.listening) await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
  return worker
}

function isOver({ status }: StandInRun): boolean {
  return status === 'succeeded' || status === 'failed' || status === 'canceled'
}

function routeOf(request: IncomingMessage): { route: Route; id: string } {
  const path = (request.url ?? '/').split('?')[0] ?? '/'
  const [, folder = '', id = '', action = ''] = path.split('/')
  if (folder === 'files') return { route: 'file', id }
  if (folder !== 'predictions') return { route: 'other', id }
  if (action === 'cancel') return { route: 'cancel', id }
  const byMethod: Readonly<Record<string, Route>> = { PUT: 'put', GET: 'get', DELETE: 'delete' }
  return { route: byMethod[request.method ?? ''] ?? 'other', id }
}
