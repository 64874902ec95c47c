import { createHash, randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import type { z } from 'zod'
import {
  type HealthCheck,
  healthCheck,
  leaseHeader,
  type Prediction,
  prediction,
  refusal,
  type refusalCodes,
} from '../../domain/wire/prediction.ts'
import { demand, Mismatch, shown } from './check.ts'
import type { Answer, Ask, HttpTarget } from './http-target.ts'

export interface ProbeOptions {
  readonly type: string
  readonly key: string | null
  readonly patienceMs?: number
}

export interface StartOptions {
  readonly seconds: number
  /** Whole seconds; null: without a lease. */
  readonly lease?: number | null
  /** Beside `seconds`. */
  readonly params?: Readonly<Record<string, unknown>>
  /** Beside the fields that every input has. */
  readonly input?: Readonly<Record<string, unknown>>
}

export interface Started {
  readonly id: string
  /** The bytes that were sent. */
  readonly body: string
  readonly prediction: Prediction
}

export interface LookOptions {
  /** Left out: looks without renewing. */
  readonly lease?: number
  readonly logsFrom?: number
}

type Code = (typeof refusalCodes)[number]

/** Longest wait for something that should come within a second or two, unless the caller says otherwise. */
const usualPatienceMs = 20_000
export const pollMs = 100
export const ended: readonly string[] = ['succeeded', 'failed', 'canceled']

/** What checks ask a worker with; it remembers every prediction it made, so that none is left behind. */
export class Probe {
  readonly type: string
  readonly key: string | null
  readonly #patienceMs: number
  readonly #send: HttpTarget
  readonly #made = new Set<string>()

  constructor(send: HttpTarget, options: ProbeOptions) {
    this.#send = send
    this.type = options.type
    this.key = options.key
    this.#patienceMs = options.patienceMs ?? usualPatienceMs
  }

  /** @throws NoAnswer */
  ask(ask: Ask): Promise<Answer> {
    return this.#send(ask)
  }

  newId(): string {
    const id = `check-${randomUUID()}`
    this.#made.add(id)
    return id
  }

  async health(): Promise<HealthCheck> {
    return parsed(healthCheck, await this.ask({ method: 'GET', path: '/health-check' }), [200])
  }

  /** @returns an input of the job type, in the version that the worker has. */
  async input({ seconds, params = {}, input = {} }: StartOptions): Promise<Record<string, unknown>> {
    const type = this.type
    const served = (await this.health()).job_types[type]
    demand(served !== undefined, `the job type ${type} among those of the health check`, 'it is not there')
    const fixed = { job_id: 'conformance', unit_id: 'conformance-1', position: 0, attempt: 1, seed: 1234 }
    const changing = { version: served.version, attempt_token: randomUUID(), cancel_grace_ms: 1_000 }
    return { type, ...fixed, ...changing, params: { seconds, ...params }, ...input }
  }

  put(id: string, body: string | Uint8Array, lease: number | null = null, key?: string | null): Promise<Answer> {
    const headers = {
      'content-type': 'application/json',
      prefer: 'respond-async',
      ...(lease === null ? {} : { [leaseHeader]: String(lease) }),
    }
    return this.ask({ method: 'PUT', path: `/predictions/${id}`, headers, body, ...(key === undefined ? {} : { key }) })
  }

  /** Makes a prediction; waits while the worker has no free slot. */
  async start(options: StartOptions): Promise<Started> {
    const id = this.newId()
    const body = JSON.stringify({ id, input: await this.input(options) })
    return { id, body, prediction: await this.startWith(id, body, options.lease === undefined ? 60 : options.lease) }
  }

  async startWith(id: string, body: string, lease: number | null = 60): Promise<Prediction> {
    const deadline = performance.now() + this.#patienceMs
    for (;;) {
      const answer = await this.put(id, body, lease)
      if (answer.status !== 409 || performance.now() > deadline) return this.prediction(answer, [202])
      await wait(5 * pollMs)
    }
  }

  async look(id: string, { lease, logsFrom }: LookOptions = {}): Promise<Prediction> {
    const query = logsFrom === undefined ? '' : `?logs_from=${logsFrom}`
    const headers: Record<string, string> = lease === undefined ? {} : { [leaseHeader]: String(lease) }
    return this.prediction(await this.ask({ method: 'GET', path: `/predictions/${id}${query}`, headers }), [200])
  }

  /** Looks, without renewing unless a lease is given, until the condition holds. */
  async until(
    id: string,
    condition: (seen: Prediction) => boolean,
    what: string,
    options: LookOptions & { readonly timeoutMs?: number } = {},
  ): Promise<Prediction> {
    const timeoutMs = Math.min(options.timeoutMs ?? this.#patienceMs, this.#patienceMs)
    const deadline = performance.now() + timeoutMs
    for (;;) {
      const seen = await this.look(id, options)
      if (condition(seen)) return seen
      if (performance.now() > deadline) throw new Mismatch(`${what} within ${timeoutMs / 1000} s`, brief(seen))
      await wait(pollMs)
    }
  }

  untilEnded(id: string, options: LookOptions = {}): Promise<Prediction> {
    return this.until(id, (seen) => ended.includes(seen.status), 'an end', options)
  }

  cancel(id: string): Promise<Answer> {
    return this.ask({ method: 'POST', path: `/predictions/${id}/cancel` })
  }

  prediction(answer: Answer, statuses: readonly number[]): Prediction {
    return parsed(prediction, answer, statuses)
  }

  /** @throws Mismatch unless the answer refuses with one of the statuses and the code */
  refused(answer: Answer, statuses: readonly number[], code?: Code): void {
    demand(statuses.includes(answer.status), `${answer.asked}: HTTP ${statuses.join(' or ')}`, brief(answer))
    if (code === undefined) return
    const problem = refusal.safeParse(jsonOf(answer))
    demand(problem.success, `${answer.asked}: a JSON body with code and detail`, brief(answer))
    demand(problem.data.code === code, `${answer.asked}: the code "${code}"`, problem.data.code)
  }

  async putFile(bytes: Uint8Array, hash: string = sha256Of(bytes)): Promise<Answer> {
    const headers = { 'content-type': 'application/octet-stream' }
    return this.ask({ method: 'PUT', path: `/files/${hash}`, headers, body: bytes })
  }

  /** Cancels, waits for and forgets what the checks made, so that the worker is as free as before. */
  async leave(): Promise<void> {
    for (const id of this.#made) {
      try {
        if ((await this.cancel(id)).status === 200) {
          await this.untilEnded(id)
          await this.ask({ method: 'DELETE', path: `/predictions/${id}` })
        }
      } catch {
        // The checks have told what is wrong; its lease or its few seconds end what is left.
      }
      this.#made.delete(id)
    }
  }
}

export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** @returns undefined when it is no JSON. */
export function jsonOf(answer: Answer): unknown {
  try {
    return JSON.parse(answer.body.toString('utf8')) as unknown
  } catch {
    return undefined
  }
}

/** @returns an answer or a prediction in a few words. */
export function brief(seen: Answer | Prediction): string {
  if ('asked' in seen) return `HTTP ${seen.status} ${shown(seen.body.toString('utf8')) || '(empty)'}`
  const { status, error_code, error, metrics, checkpoint, lease_expires_in_ms } = seen
  return shown({ status, error_code, error, progress: metrics.progress, checkpoint, lease_expires_in_ms })
}

/** @throws Mismatch unless it is JSON of the schema with one of the statuses */
export function parsed<Schema extends z.ZodType>(
  schema: Schema,
  answer: Answer,
  statuses: readonly number[],
): z.output<Schema> {
  demand(statuses.includes(answer.status), `${answer.asked}: HTTP ${statuses.join(' or ')}`, brief(answer))
  const type = answer.headers['content-type'] ?? 'none'
  demand(/^application\/json\b/i.test(type), `${answer.asked}: Content-Type application/json`, type)
  const result = schema.safeParse(jsonOf(answer))
  if (result.success) return result.data
  const [issue] = result.error.issues
  const place = issue === undefined || issue.path.length === 0 ? 'the answer' : issue.path.join('.')
  throw new Mismatch(
    `${answer.asked}: JSON as the protocol has it`,
    `${place}: ${issue?.message ?? 'no JSON'}; ${brief(answer)}`,
  )
}
