import { type Dispatcher, Pool } from 'undici'
import { version } from '../../config/version.ts'
import type { Clock } from '../../domain/clock.ts'
import { WorkerFault } from '../worker-client.ts'
import { parseWorkerUrl } from '../worker-url.ts'
import { faultOfConnection } from './connection-faults.ts'
import { createConnector } from './connector.ts'
import { type Answer, checkHead, dropAnswer, headerOf, readWhole } from './read-answer.ts'
import { faultOfStatus } from './refusals.ts'
import { parseRetryAfter } from './retry-after.ts'
import type { WorkerTimeouts } from './timeouts.ts'

export interface ChannelOptions {
  readonly url: string
  /** Reads the key anew for each request. Null: the worker wants none. @throws WorkerFault key_missing */
  readonly readKey: () => Promise<string | null>
  /** PEM; the only certificates that are trusted. Null: those of the system */
  readonly ca: string | null
  readonly timeouts: WorkerTimeouts
  readonly clock: Clock
  readonly connections?: number
}

/** One request. */
export interface Call {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE' | 'HEAD'
  /** Below the worker's URL, without a slash at the beginning. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  readonly accept: readonly number[]
  /** Largest answer. */
  readonly maxBytes: number
  /** For request and answer together. */
  readonly deadlineMs?: number
  /** Longest wait for the beginning of the answer; as the channel's when left out. */
  readonly headersMs?: number
  readonly signal?: AbortSignal | undefined
}

/** Removes the key from what a worker said: it must not come back through a log or a message. */
export type Scrub = (text: string) => string

/** HTTP to one worker: bounded in time and bytes, no redirects, no compressed answers, every failure a WorkerFault. */
export interface WorkerChannel {
  /** @param use reads the answer; it may take no longer than the deadline of the call */
  call<Result>(call: Call, use: (answer: Answer, scrub: Scrub) => Promise<Result>): Promise<Result>
  /** Breaks what is under way. */
  close(): Promise<void>
  /** Takes no new call and lets what is under way end. */
  retire(): void
}

const largestRefusalBytes = 64 * 1024
const shortestScrubbedKey = 6
/** Node's timers fire at once beyond it. */
const longestTimerMs = 2_147_483_647

const isAborted = (signal: AbortSignal | undefined): boolean => signal?.aborted === true

function scrubberOf(key: string | null): Scrub {
  if (key === null || key.length < shortestScrubbedKey) return (text) => text
  const inJson = JSON.stringify(key).slice(1, -1)
  // As long as before: offsets in a log stay what they are.
  return (text) => text.replaceAll(key, '*'.repeat(key.length)).replaceAll(inJson, '*'.repeat(inJson.length))
}

/** @throws QueueError invalid_input for a URL that no worker may have */
export function createWorkerChannel(options: ChannelOptions): WorkerChannel {
  const { timeouts } = options
  const url = parseWorkerUrl(options.url)
  const connector = createConnector({ plain: url.plain, ca: options.ca, timeoutMs: timeouts.connectMs })
  const pool = new Pool(url.origin, {
    connect: connector.connect,
    connections: options.connections ?? 4,
    pipelining: 1,
    allowH2: false,
    headersTimeout: timeouts.headersMs,
    bodyTimeout: timeouts.bodyMs,
  })

  async function refused(answer: Answer, scrub: Scrub): Promise<WorkerFault> {
    const retryAfterMs = parseRetryAfter(headerOf(answer.headers, 'retry-after'), options.clock.now())
    // The status says enough when the words cannot be read.
    const body = await readWhole(answer, largestRefusalBytes).catch(() => Buffer.alloc(0))
    return faultOfStatus(answer.statusCode, scrub(body.toString('utf8')), retryAfterMs)
  }

  async function send<Result>(
    call: Call,
    key: string | null,
    signal: AbortSignal,
    use: (answer: Answer, scrub: Scrub) => Promise<Result>,
  ): Promise<Result> {
    const request: Dispatcher.RequestOptions = {
      method: call.method,
      path: url.basePath + call.path,
      headers: {
        accept: 'application/json',
        'accept-encoding': 'identity',
        'user-agent': `nightkiln/${version}`,
        ...call.headers,
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      },
      signal,
      ...(call.body === undefined ? {} : { body: call.body }),
      ...(call.headersMs === undefined ? {} : { headersTimeout: call.headersMs }),
    }
    const scrub = scrubberOf(key)
    const answer = await pool.request(request)
    if (!call.accept.includes(answer.statusCode)) {
      if (answer.statusCode < 400) checkHead(answer, largestRefusalBytes)
      throw await refused(answer, scrub)
    }
    checkHead(answer, call.method === 'HEAD' ? Number.POSITIVE_INFINITY : call.maxBytes)
    try {
      return await use(answer, scrub)
    } catch (error) {
      dropAnswer(answer)
      throw error
    }
  }

  return {
    call: async (call, use) => {
      const given = call.signal
      if (isAborted(given)) throw new WorkerFault('not_sent', 'ABORTED', 'the request was given up')
      const key = await options.readKey()
      const ending = new AbortController()
      const end = (code: string, message: string): void => ending.abort(new WorkerFault('ambiguous', code, message))
      const giveUp = (): void => end('ABORTED', 'the request was given up')
      const deadline = setTimeout(
        () => end('DEADLINE', 'the answer took too long'),
        Math.min(call.deadlineMs ?? timeouts.totalMs, longestTimerMs),
      )
      given?.addEventListener('abort', giveUp, { once: true })
      // While the key was read.
      if (isAborted(given)) giveUp()
      try {
        return await send(call, key, ending.signal, use)
      } catch (error) {
        throw ending.signal.aborted ? ending.signal.reason : faultOfConnection(error, connector.failedToConnect(error))
      } finally {
        clearTimeout(deadline)
        given?.removeEventListener('abort', giveUp)
      }
    },
    close: () => pool.destroy(),
    retire: () => {
      pool.close().catch(() => undefined)
    },
  }
}
