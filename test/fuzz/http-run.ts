import { waitForManager } from '../support/manager-process.ts'
import type { TemporaryHome } from '../support/temporary-home.ts'
import { faultOf } from './answer-book.ts'
import { createChance } from './chance.ts'
import { expectationOf } from './expectation.ts'
import { createFrameSource } from './frame-source.ts'
import { createHttpCaller, type HttpAnswer, type HttpCaller } from './http-exchange.ts'
import { rawAttacks } from './http-raw.ts'
import { type HttpServerProcess, startHttpServer } from './http-server.ts'
import { oddStrings } from './odd-values.ts'
import { type Era, initializeFrame, legacyVersion, modernVersion, statusCall } from './valid-frames.ts'

const sockets = 16
/** Longer than over stdio: the server keeps 200 sessions, which fill up first. */
const warmUpShare = 0.3
const mostHangs = 100
const shown = 20
const internalError = -32603
/** Longer than any long poll. */
const usualHangMs = 60_000
/** For a request that may stay without an answer. */
const ambiguousMs = 1_000

export interface HttpFigures {
  readonly transport: 'http'
  readonly era: Era
  readonly seed: number
  readonly frames: number
  readonly frames_per_s: number
  /** How often each status came; 0: the connection ended without one. */
  readonly statuses: Readonly<Record<string, number>>
  readonly deaths: number
  readonly hangs: number
  readonly unanswered: readonly string[]
  readonly faults: number
  readonly fault_examples: readonly string[]
  readonly raw_attacks: number
  readonly rss_before_mb: number
  readonly rss_highest_mb: number
  readonly rss_after_mb: number
  readonly stderr_bytes: number
  readonly normal_call: boolean
  readonly same_manager: boolean
}

const megabytes = (bytes: number) => Math.round(bytes / 1e5) / 10

type Headers = Record<string, string>

/** @returns the headers that a well-behaved client sends with this body, as far as it can be read */
function headersFor(era: Era, body: Buffer): Headers {
  if (era === 'legacy') return { 'mcp-protocol-version': legacyVersion }
  const headers: Headers = { 'mcp-protocol-version': modernVersion }
  try {
    const { method, params } = JSON.parse(body.toString('utf8')) as {
      method?: unknown
      params?: Record<string, unknown>
    }
    if (typeof method === 'string') headers['mcp-method'] = method
    const name = params?.['name'] ?? params?.['uri'] ?? params?.['taskId']
    if (typeof name === 'string') headers['mcp-name'] = name
  } catch {
    // Broken frames are sent without.
  }
  return headers
}

async function begin(caller: HttpCaller, era: Era): Promise<Headers> {
  if (era === 'modern') return {}
  const body = Buffer.from(JSON.stringify(initializeFrame('opening')))
  const answer = await caller.post(body, {})
  const session = answer.headers['mcp-session-id']
  if (typeof session !== 'string') throw new Error(`no session was begun: ${JSON.stringify(answer)}`)
  const known = { 'mcp-session-id': session, 'mcp-protocol-version': legacyVersion }
  await caller.post(Buffer.from('{"jsonrpc":"2.0","method":"notifications/initialized"}'), known)
  return known
}

async function answersNormally(caller: HttpCaller, era: Era): Promise<boolean> {
  const known = await begin(caller, era)
  const body = Buffer.from(JSON.stringify(statusCall('normal-call', era)))
  const { status, messages } = await caller.post(body, { ...headersFor(era, body), ...known })
  const result = messages.find(({ id }) => id === 'normal-call')?.['result'] as { isError?: boolean } | undefined
  return status === 200 && result !== undefined && result.isError !== true
}

/**
 * @param body to which an answer is due; null when it may stay without
 * @returns what is wrong with an answer, null when nothing is
 */
function wrongWith(answer: HttpAnswer, body: Buffer | null): string | null {
  const { status, messages, unreadable } = answer
  if (unreadable.length > 0) return `the body is no JSON: ${unreadable[0]}`
  for (const message of messages) {
    const fault = faultOf(message)
    if (fault !== null) return `a message ${fault}: ${JSON.stringify(message).slice(0, 200)}`
  }
  const isAnswered = messages.some(({ error }) => (error as { code?: unknown } | undefined)?.code === internalError)
  if (status >= 500 && status !== 503 && !isAnswered) return `status ${status}`
  const expected = body === null ? null : expectationOf(body)
  // What is not complete hangs, and is counted as that.
  if (status !== 200 || expected?.kind !== 'answer' || !answer.complete) return null
  if (messages.some(({ id }) => id === expected.id)) return null
  return `no answer to ${JSON.stringify(expected.id).slice(0, 80)} but ${JSON.stringify(messages).slice(0, 300)}`
}

/** Sends mutated frames to one HTTP server and judges what comes back. Queues must be paused. */
export async function fuzzHttp(
  home: TemporaryHome,
  options: {
    readonly era: Era
    readonly seed: number
    readonly frames: number
    readonly directory: string
    readonly hangMs?: number
  },
): Promise<HttpFigures> {
  const { era, seed, frames, directory, hangMs = usualHangMs } = options
  const manager = await waitForManager(home.home)
  const chance = createChance(seed)
  const source = createFrameSource(era, chance, directory)
  const server: HttpServerProcess = await startHttpServer(home)
  const caller = createHttpCaller(server, sockets, hangMs)
  let known = await begin(caller, era)
  if (!(await answersNormally(caller, era))) throw new Error('a normal call fails before any frame')

  const statuses: Record<string, number> = {}
  const hung: string[] = []
  const faults: string[] = []
  let faultCount = 0
  let before = 0
  let highest = 0
  let count = 0

  /** Ids in use, with the requests that use them; what was cancelled, or shares its id, may stay without an answer. */
  const inUse = new Map<string, { ambiguous: boolean }[]>()
  const noteAsked = (body: Buffer) => {
    const expected = expectationOf(body)
    if (expected.kind === 'release') for (const one of inUse.get(String(expected.id)) ?? []) one.ambiguous = true
    const use = { ambiguous: false }
    if (expected.kind !== 'answer') return { isAmbiguous: () => expected.kind === 'subscription', end: () => {} }
    const key = String(expected.id)
    const uses = [...(inUse.get(key) ?? []), use]
    if (uses.length > 1) for (const one of uses) one.ambiguous = true
    inUse.set(key, uses)
    return {
      isAmbiguous: () => use.ambiguous,
      end: () => {
        const left = (inUse.get(key) ?? []).filter((one) => one !== use)
        if (left.length === 0) inUse.delete(key)
        else inUse.set(key, left)
      },
    }
  }
  const isEnd = (message: Record<string, unknown>) => message['method'] === 'notifications/subscriptions/acknowledged'
  const exchange = async () => {
    const body = source.next().subarray(0, -1)
    const headers: Headers = { ...headersFor(era, body), ...known }
    if (chance.happens(0.02))
      headers[
        chance.pick([
          'mcp-method',
          'mcp-name',
          'mcp-session-id',
          'accept',
          'origin',
          'host',
          'mcp-protocol-version',
          'content-type',
        ])
      ] = chance.pick(oddStrings).slice(0, 2_000)
    const asked = noteAsked(body)
    const answer = await caller.post(body, headers, {
      wanted: isEnd,
      limitMs: asked.isAmbiguous() ? ambiguousMs : hangMs,
    })
    asked.end()
    statuses[answer.status] = (statuses[answer.status] ?? 0) + 1
    const wrong = wrongWith(answer, asked.isAmbiguous() ? null : body)
    if (wrong !== null) {
      faultCount += 1
      if (faults.length < shown) faults.push(`${wrong}; sent: ${body.subarray(0, 600).toString('utf8')}`)
    }
    if (!answer.complete && !asked.isAmbiguous()) hung.push(body.subarray(0, 600).toString('utf8'))
    // A mutated frame may have ended the session.
    if (answer.status === 404 && era === 'legacy') known = await begin(caller, era)
  }
  const worker = async () => {
    while (count < frames && server.isAlive() && hung.length < mostHangs) {
      count += 1
      if (count === Math.ceil(frames * warmUpShare)) before = server.residentBytes()
      if (count % 200 === 0) highest = Math.max(highest, server.residentBytes())
      await exchange()
    }
  }
  const began = performance.now()
  await Promise.all(Array.from({ length: sockets }, worker))
  const tookS = (performance.now() - began) / 1000
  const attacks = await rawAttacks(server)
  const normal = server.isAlive() && (await answersNormally(caller, era))
  const after = server.residentBytes()
  const deaths = server.isAlive() ? 0 : 1
  caller.close()
  await server.close()
  const successor = await waitForManager(home.home)
  return {
    transport: 'http',
    era,
    seed,
    frames,
    frames_per_s: Math.round(frames / tookS),
    statuses,
    deaths,
    hangs: hung.length + attacks.open.length,
    unanswered: [...hung, ...attacks.open].slice(0, shown),
    faults: faultCount,
    fault_examples: faults,
    raw_attacks: attacks.count,
    rss_before_mb: megabytes(before),
    rss_highest_mb: megabytes(Math.max(highest, after)),
    rss_after_mb: megabytes(after),
    stderr_bytes: server.stderrBytes(),
    normal_call: normal,
    same_manager: successor.pid === manager.pid && successor.epoch === manager.epoch,
  }
}
