import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { createConnection, type Socket } from 'node:net'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { statePaths } from '../../src/config/paths.ts'
import type { Json, Progress } from '../../src/domain/job.ts'
import { bootId } from '../../src/platform/process-identity.ts'
import { encodeFrame, FrameDecoder } from '../../src/workers/threads/frames.ts'
import { hostFiles } from '../../src/workers/threads/host-files.ts'
import {
  type EndedAttempt,
  type HandlerEnd,
  type HostOrder,
  protocolVersion,
  type ToHost,
  type ToManager,
  toManager,
  type WireJob,
  type WireRun,
} from '../../src/workers/threads/protocol.ts'
import { isAlive } from './proc.ts'
import { repositoryRoot } from './repository.ts'
import { type TemporaryHome, useTemporaryHome } from './temporary-home.ts'
import { waitUntil } from './wait-until.ts'

const hostEntry = join(repositoryRoot, 'dist', 'workers', 'thread-host', 'host-main.js')
const handlers = join(repositoryRoot, 'test', 'support', 'handlers')

export const instanceId = 'instance-of-host-tests'

type End<Kind extends HandlerEnd['kind'] = HandlerEnd['kind']> = Extract<HandlerEnd, { kind: Kind }>

/** One connection to a host, as a manager has it: everything it was told, by attempt. */
export class HostConnection {
  readonly messages: ToManager[] = []
  readonly #socket: Socket
  readonly #ends = new Map<string, HandlerEnd[]>()
  readonly #progress = new Map<string, Progress[]>()
  /** Ends in the order in which they came. */
  readonly order: string[] = []
  /** Attempts in the order in which they first told progress. */
  readonly progressOrder = new Set<string>()
  /** Set when the connection is gone. */
  isClosed = false
  acknowledges: boolean

  constructor(socket: Socket, acknowledges: boolean) {
    this.#socket = socket
    this.acknowledges = acknowledges
    const decoder = new FrameDecoder()
    socket.on('data', (piece: Buffer) => {
      for (const message of decoder.push(piece)) this.#take(toManager.parse(message) as ToManager)
    })
    socket.on('error', () => undefined)
    socket.on('close', () => {
      this.isClosed = true
    })
  }

  send(...messages: ToHost[]): void {
    this.#socket.write(encodeFrame(messages))
  }

  close(): void {
    this.#socket.destroy()
  }

  get welcome(): Extract<ToManager, { kind: 'welcome' }> | undefined {
    return this.messages.find((message) => message.kind === 'welcome')
  }

  /** Every end that was told for an attempt: one, when all is well. */
  ends(key: string): readonly HandlerEnd[] {
    return this.#ends.get(key) ?? []
  }

  get endCount(): number {
    return this.#ends.size
  }

  progress(key: string): readonly Progress[] {
    return this.#progress.get(key) ?? []
  }

  /** @returns the end of an attempt, once it is there. @throws Error when it is of another kind */
  async end<Kind extends HandlerEnd['kind']>(key: string, kind: Kind, timeoutMs = 15_000): Promise<End<Kind>> {
    const end = await waitUntil(() => this.ends(key)[0], { timeoutMs, intervalMs: 5, what: `the end of ${key}` })
    if (end.kind !== kind) throw new Error(`expected ${kind}, got ${JSON.stringify(end)}`)
    return end as End<Kind>
  }

  acknowledge(...keys: string[]): void {
    this.send({ kind: 'acknowledge', keys })
  }

  closed(timeoutMs = 15_000): Promise<true> {
    return waitUntil(() => this.isClosed, { timeoutMs, intervalMs: 5, what: 'the connection to close' })
  }

  #take(message: ToManager): void {
    if (message.kind === 'ended') {
      for (const { key, end } of message.items) {
        const known = this.#ends.get(key)
        if (known === undefined) this.#ends.set(key, [end as HandlerEnd])
        else known.push(end as HandlerEnd)
        this.order.push(key)
      }
      if (this.acknowledges) this.acknowledge(...message.items.map((item) => item.key))
      return
    }
    if (message.kind === 'progress') {
      for (const { key, progress } of message.items) {
        this.progressOrder.add(key)
        this.#progress.set(key, [...(this.#progress.get(key) ?? []), progress])
      }
      return
    }
    this.messages.push(message)
  }
}

export interface HostUnderTest {
  readonly home: string
  readonly environment: Readonly<Record<string, string>>
  readonly order: HostOrder
  readonly process: ChildProcess
  readonly pid: number
  /** Ms from its start until it said that it is ready. */
  readonly readyMs: number
  connect(options?: { epoch?: number; acknowledges?: boolean }): Promise<HostConnection>
  /** Resolves when its process is gone. @returns its exit code or signal */
  gone(timeoutMs?: number): Promise<number | string | null>
  read(name: keyof typeof hostFiles): string
  lastWords(): { reason: string; culprit: EndedAttempt | null; message: string }
  attemptDirectory(item: WireRun): string
  /** Output of an attempt as far as it lies in its live file. */
  output(item: WireRun): string
}

/** Starts a real thread host on a state directory of its own; it is killed when the test ends. */
export async function startHost(
  options: Partial<HostOrder> = {},
  given: TemporaryHome = useTemporaryHome(),
): Promise<HostUnderTest> {
  const { home, ledger } = given
  const paths = statePaths(home)
  const hostId = randomBytes(4).toString('hex')
  const directory = join(paths.hosts, hostId)
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const order: HostOrder = {
    host_id: hostId,
    directory,
    socket: join(directory, 'socket'),
    home,
    attempts: paths.attempts,
    instance_id: instanceId,
    boot_id: bootId(),
    version: '0.0.0-test',
    threads: 2,
    alone: false,
    memory_bytes: 4 * 1024 ** 3,
    terminate_ms: 1_500,
    unclaimed_ms: 60_000,
    ...options,
  }
  const environment = {
    PATH: process.env['PATH'] ?? '',
    NIGHTKILN_HOME: home,
    NIGHTKILN_PROCESS: 'host',
    NIGHTKILN_HOST_ID: hostId,
  }
  const log = openSync(join(directory, hostFiles.log), 'a', 0o600)
  const begun = performance.now()
  const child = spawn(process.execPath, [hostEntry, JSON.stringify(order)], {
    env: environment,
    cwd: '/',
    detached: true,
    stdio: ['ignore', log, log, 'pipe'],
  })
  closeSync(log)
  ledger.add(child.pid, { group: true })
  const read = (name: keyof typeof hostFiles): string => readFileSync(join(directory, hostFiles[name]), 'utf8')
  await new Promise<void>((resolve, reject) => {
    const failed = (): void => reject(new Error(`the host did not start: ${read('log')}`))
    child.once('exit', failed)
    child.stdio[3]?.once('data', () => {
      child.off('exit', failed)
      resolve()
    })
  })
  const readyMs = performance.now() - begun
  const pid = child.pid ?? 0
  return {
    home,
    environment,
    order,
    process: child,
    pid,
    readyMs,
    read,
    async connect({ epoch = 1, acknowledges = true } = {}) {
      const socket = createConnection(order.socket)
      await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
      const connection = new HostConnection(socket, acknowledges)
      onTestFinished(() => connection.close())
      connection.send({ kind: 'hello', protocol: protocolVersion, epoch, version: order.version })
      return connection
    },
    async gone(timeoutMs = 15_000) {
      await waitUntil(() => !isAlive(pid), { timeoutMs, intervalMs: 5, what: `the host ${pid} to be gone` })
      await waitUntil(() => child.exitCode !== null || child.signalCode !== null)
      return child.exitCode ?? child.signalCode
    },
    lastWords: () => JSON.parse(read('lastWords')),
    attemptDirectory: (item) => join(order.attempts, item.key),
    output: (item) => readFileSync(join(order.attempts, item.key, 'output'), 'utf8'),
  }
}

let made = 0

/** A job for a fixture of test/support/handlers; its type is the name of the file. */
export function hostJob(
  file: string,
  params: Json = {},
  changes: Partial<Omit<WireJob, 'handler'>> & { readonly handler?: Partial<WireJob['handler']> } = {},
): WireJob {
  made += 1
  const { handler, ...rest } = changes
  const jobId = `job-${made}`
  return {
    job_key: `${jobId}@1`,
    job_id: jobId,
    handler: {
      type: file.replace(/\.[a-z]+$/, ''),
      file: join(handlers, file),
      revision: '1',
      reusable: false,
      heap_megabytes: 256,
      ...handler,
    },
    params: params as WireJob['params'],
    dependencies: {},
    environment: { PATH: process.env['PATH'] ?? '' },
    cwd: null,
    unit_timeout_ms: null,
    idle_timeout_ms: null,
    cancel_grace_ms: 500,
    max_output_bytes: 64 * 1024,
    ...rest,
  }
}

export function hostItem(changes: Partial<Omit<WireRun, 'key'>> = {}): WireRun {
  made += 1
  const item = { unit_id: `unit-${made}`, attempt: 1, nonce: 'abcdef', position: 0, ...changes }
  return { key: `${item.unit_id}.${item.attempt}.${item.nonce}`, ...item }
}

/** Declares a job and hands one attempt of it over. */
export function handOver(connection: HostConnection, job: WireJob, changes?: Partial<Omit<WireRun, 'key'>>): WireRun {
  const item = hostItem(changes)
  connection.send({ kind: 'job', job }, { kind: 'run', job_key: job.job_key, items: [item] })
  return item
}
