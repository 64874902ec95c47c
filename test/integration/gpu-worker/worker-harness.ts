import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { type Prediction, prediction } from '../../../src/domain/wire/prediction.ts'
import type { Worker, WorkerOptions } from '../../../src/gpu-worker/start-worker.ts'
import { startWorker } from '../../../src/gpu-worker/start-worker.ts'
import { seedOfUnit } from '../../../src/platform/unit-seed.ts'
import { useTemporaryHome } from '../../support/temporary-home.ts'
import { waitUntil } from '../../support/wait-until.ts'

export interface Answered {
  readonly status: number
  readonly headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: whatever came is looked at by the test
  readonly body: any
}

export interface AskOptions {
  readonly method?: string
  readonly body?: unknown
  readonly lease?: number
  readonly headers?: Readonly<Record<string, string>>
}

/** Speaks to one worker as a client would. */
export interface Asking {
  ask(path: string, options?: AskOptions): Promise<Answered>
  put(id: string, input: object, options?: AskOptions): Promise<Answered>
  look(id: string, options?: AskOptions): Promise<Prediction>
  untilEnded(id: string): Promise<Prediction>
}

export interface Served extends Asking {
  readonly worker: Worker
  readonly home: string
  readonly log: string[]
}

export const noGpu = { nvidia: () => Promise.resolve([]), webgpu: () => Promise.resolve(null) }

/** @returns an input of the job type `sleep`, with what is given instead */
export function sleepInput(seconds: number, more: object = {}): object {
  const unitId = 'unit-1'
  return {
    type: 'sleep',
    version: '1',
    params: { seconds },
    job_id: 'job-1',
    unit_id: unitId,
    position: 0,
    attempt: 1,
    attempt_token: 'token-1',
    seed: seedOfUnit(unitId),
    ...more,
  }
}

export function speakTo(url: string, key: string | null = null): Asking {
  const ask: Asking['ask'] = async (path, { method = 'GET', body, lease, headers = {} } = {}) => {
    const isRaw = typeof body === 'string' || body instanceof Uint8Array
    const answer = await fetch(`${url}${path}`, {
      method,
      headers: {
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        ...(lease === undefined ? {} : { 'worker-lease': String(lease) }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: isRaw ? (body as string) : JSON.stringify(body) }),
    })
    const text = await answer.text()
    const isJson = answer.headers.get('content-type')?.includes('json') === true
    return { status: answer.status, headers: answer.headers, body: isJson && text !== '' ? JSON.parse(text) : text }
  }
  const look: Asking['look'] = async (id, options) => prediction.parse((await ask(`/predictions/${id}`, options)).body)
  return {
    ask,
    look,
    put: (id, input, options) => ask(`/predictions/${id}`, { method: 'PUT', body: { input }, ...options }),
    untilEnded: (id) =>
      waitUntil(
        async () => {
          const seen = await look(id)
          return seen.completed_at === null ? null : seen
        },
        { what: `the end of ${id}` },
      ),
  }
}

/** A worker in this process, ended with the test; a directory of its own unless one is given. */
export async function useWorker(options: Partial<WorkerOptions> = {}): Promise<Served> {
  const home = options.home ?? useTemporaryHome().home
  const log: string[] = []
  const write = (_: object, message: string) => void log.push(message)
  const worker = await startWorker({
    home,
    listen: '127.0.0.1:0',
    keyFile: null,
    tlsCert: null,
    tlsKey: null,
    slots: 2,
    commands: null,
    handlers: join(home, 'handlers'),
    allowSoftwareAdapter: false,
    environment: process.env,
    gpuLook: noGpu,
    log: { debug: () => undefined, warn: write, error: write },
    ...options,
  })
  onTestFinished(() => worker.close())
  return { ...speakTo(worker.url), worker, home, log }
}

/** Writes handlers where a worker with this home looks for them. */
export function writeHandler(home: string, name: string, code: string): void {
  const folder = join(home, 'handlers')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  writeFileSync(join(folder, `${name}.mjs`), code, { mode: 0o600 })
}
