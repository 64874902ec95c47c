import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { waitForManager } from '../support/manager-process.ts'
import type { TemporaryHome } from '../support/temporary-home.ts'
import { createChance } from './chance.ts'
import { createFrameSource } from './frame-source.ts'
import { type StdioSession, startStdioSession } from './stdio-session.ts'
import { discoverFrame, type Era, envelope, initializeFrame, pausedQueues, statusCall } from './valid-frames.ts'

/** Before the memory is measured for the first time: everything is loaded, caches are full. */
const warmUpShare = 0.1
/** After so many the rest is not worth its time. */
const mostHangs = 200
const shownHangs = 20

export interface StdioFigures {
  readonly transport: 'stdio'
  readonly era: Era
  readonly seed: number
  readonly frames: number
  readonly frames_per_s: number
  readonly answers: number
  readonly complaints: number
  readonly complaints_owed: number
  readonly deaths: number
  readonly hangs: number
  /** Requests that were never answered, some of them. */
  readonly unanswered: readonly string[]
  readonly faults: number
  readonly fault_examples: readonly string[]
  readonly rss_before_mb: number
  readonly rss_highest_mb: number
  readonly rss_after_mb: number
  readonly stderr_bytes: number
  readonly normal_call: boolean
  readonly same_manager: boolean
}

const megabytes = (bytes: number) => Math.round(bytes / 1e5) / 10

/** Opens the connection as a client of this era does. */
export async function openSession(session: StdioSession, era: Era): Promise<void> {
  const frame = era === 'legacy' ? initializeFrame('opening') : discoverFrame('opening')
  const answer = await session.ask(frame)
  if (answer?.['result'] === undefined) throw new Error(`the connection did not open: ${JSON.stringify(answer)}`)
  if (era === 'legacy') await session.send(Buffer.from('{"jsonrpc":"2.0","method":"notifications/initialized"}\n'))
}

/** True when the server answers a call of a tool with its result. */
export async function answersNormally(session: StdioSession, era: Era, id = 'normal-call'): Promise<boolean> {
  const answer = await session.ask(statusCall(id, era))
  const result = answer?.['result'] as { isError?: boolean; structuredContent?: unknown } | undefined
  return result !== undefined && result.isError !== true && result.structuredContent !== undefined
}

/** Pauses the queues that frames submit to, so that nothing of it runs. @returns a directory for commands */
export async function prepareQueues(home: TemporaryHome, era: Era): Promise<string> {
  const directory = join(home.home, 'fuzz-work')
  mkdirSync(directory, { recursive: true })
  const session = startStdioSession(home)
  await openSession(session, era)
  const meta = era === 'modern' ? { _meta: envelope() } : {}
  for (const queue of pausedQueues) {
    const update = { name: 'update_job', arguments: { queue, queue_concurrency: 1 }, ...meta }
    await session.ask({ jsonrpc: '2.0', id: `make-${queue}`, method: 'tools/call', params: update })
    const pause = { name: 'pause_job', arguments: { queue }, ...meta }
    const answer = await session.ask({ jsonrpc: '2.0', id: `pause-${queue}`, method: 'tools/call', params: pause })
    const { isError } = (answer?.['result'] ?? { isError: true }) as { isError?: boolean }
    if (isError === true) throw new Error(`the queue ${queue} was not paused: ${JSON.stringify(answer)}`)
  }
  await session.close()
  return directory
}

/** Sends mutated frames to one front end and judges what comes back. Queues must be paused. */
export async function fuzzStdio(
  home: TemporaryHome,
  options: {
    readonly era: Era
    readonly seed: number
    readonly frames: number
    /** For commands, as prepareQueues gives it. */
    readonly directory: string
    readonly hangMs?: number
  },
): Promise<StdioFigures> {
  const { era, seed, frames, directory } = options
  const manager = await waitForManager(home.home)
  const source = createFrameSource(era, createChance(seed), directory)
  const session = startStdioSession(home, options.hangMs)
  await openSession(session, era)
  if (!(await answersNormally(session, era, 'first-call'))) throw new Error('a normal call fails before any frame')

  let before = 0
  let highest = 0
  const began = performance.now()
  for (let count = 0; count < frames && session.exit() === null && session.hung.length < mostHangs; count += 1) {
    if (count === Math.ceil(frames * warmUpShare)) before = session.residentBytes()
    await session.send(source.next())
    if (count % 200 === 0) highest = Math.max(highest, session.residentBytes())
  }
  // The last line may lack its newline.
  await session.send(Buffer.from('\n'))
  await session.drain()
  const tookS = (performance.now() - began) / 1000
  const normal = session.exit() === null && (await answersNormally(session, era))
  const after = session.residentBytes()
  const { book } = session
  const dead = session.exit() !== null
  await session.close()
  const successor = await waitForManager(home.home)

  return {
    transport: 'stdio',
    era,
    seed,
    frames,
    frames_per_s: Math.round(frames / tookS),
    answers: book.answers,
    complaints: book.complaints,
    complaints_owed: book.complaintsOwed,
    deaths: dead ? 1 : 0,
    hangs: session.hung.length,
    unanswered: session.hung.slice(0, shownHangs),
    faults: book.faultCount,
    fault_examples: book.faults,
    rss_before_mb: megabytes(before),
    rss_highest_mb: megabytes(Math.max(highest, after)),
    rss_after_mb: megabytes(after),
    stderr_bytes: session.stderrBytes(),
    normal_call: normal,
    same_manager: successor.pid === manager.pid && successor.epoch === manager.epoch,
  }
}
