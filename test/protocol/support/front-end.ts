import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { readStat } from '../../support/proc.ts'
import { distMain } from '../../support/repository.ts'
import type { TemporaryHome } from '../../support/temporary-home.ts'
import { waitUntil } from '../../support/wait-until.ts'

const pageBytes = 4_096

export interface Message {
  readonly jsonrpc: '2.0'
  readonly id?: string | number
  readonly method?: string
  readonly params?: Record<string, unknown>
  readonly result?: Record<string, unknown>
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown }
}

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** Monotonic ms of this process. */
  readonly at: number
}

/** `nightkiln mcp` spoken to without a client library: bytes in, lines out. */
export interface FrontEnd {
  readonly child: ChildProcessWithoutNullStreams
  readonly pid: number
  /** Every line of stdout so far; each is a protocol message or the test fails. */
  readonly messages: readonly Message[]
  stderr(): string
  write(data: string | Buffer): void
  send(message: Record<string, unknown>): void
  /** Sends a request and waits for the answer with its id. */
  request(method: string, params?: Record<string, unknown>, timeoutMs?: number): Promise<Message>
  callTool(name: string, input?: Record<string, unknown>, timeoutMs?: number): Promise<Message>
  answerTo(id: string | number, timeoutMs?: number): Promise<Message>
  /** Opens the connection as an old client does. */
  initialize(): Promise<Message>
  readonly exit: Promise<Exit>
  residentBytes(): number
}

export interface FrontEndOptions {
  /** False: nothing of stdout is read until `readStdout` is called by the test. */
  readonly read?: boolean
  readonly command?: readonly [string, ...string[]]
  readonly cwd?: string
  readonly environment?: Readonly<Record<string, string>>
}

export const frontEndCommand: readonly [string, ...string[]] = [process.execPath, distMain, 'mcp']

/** Starts a front end that is killed when the test ends. */
export function startFrontEnd(home: TemporaryHome, options: FrontEndOptions = {}): FrontEnd & { readStdout(): void } {
  const [command, ...args] = options.command ?? frontEndCommand
  const child = spawn(command, args, {
    env: { ...home.environment, ...options.environment },
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  })
  home.ledger.add(child.pid)
  const messages: Message[] = []
  const byId = new Map<string | number, Message>()
  const errors: string[] = []
  let rest = ''
  let lastId = 0

  const readStdout = () => {
    child.stdout.setEncoding('utf8')
    child.stdout.on('data', (text: string) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) {
        const message = JSON.parse(line) as Message
        messages.push(message)
        if (message.id !== undefined) byId.set(message.id, message)
      }
    })
  }
  if (options.read !== false) readStdout()
  child.stderr.setEncoding('utf8').on('data', (text: string) => errors.push(text))
  // The server may close its side first.
  child.stdin.on('error', () => {})

  // "close" comes when the exit is known and everything that was written has arrived.
  let exited: Exit | null = null
  const exit = new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal, at: performance.now() }))
    child.once('close', (code, signal) => {
      exited = { code, signal, at: performance.now() }
    })
  })
  const answerTo: FrontEnd['answerTo'] = (id, timeoutMs = 20_000) =>
    waitUntil(
      () => {
        const answer = byId.get(id)
        if (answer === undefined && exited !== null) {
          throw new Error(
            `the front end ended with ${JSON.stringify(exited)} without an answer to ${id}: ${errors.join('')}`,
          )
        }
        return answer
      },
      { timeoutMs, what: `the answer to ${id}` },
    )
  const request: FrontEnd['request'] = (method, params, timeoutMs) => {
    lastId += 1
    const id = `r${lastId}`
    send({ id, method, ...(params === undefined ? {} : { params }) })
    return answerTo(id, timeoutMs)
  }
  const send = (message: Record<string, unknown>) => {
    child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
  }

  return {
    child,
    pid: child.pid ?? 0,
    messages,
    stderr: () => errors.join(''),
    write: (data) => {
      child.stdin.write(data)
    },
    send,
    request,
    callTool: (name, input = {}, timeoutMs) => request('tools/call', { name, arguments: input }, timeoutMs),
    answerTo,
    async initialize() {
      const answer = await request('initialize', {
        protocolVersion: '2025-11-25',
        capabilities: {},
        clientInfo: { name: 'raw-client', version: '1.0.0' },
      })
      send({ method: 'notifications/initialized' })
      return answer
    },
    exit,
    residentBytes: () => (readStat(child.pid ?? 0)?.residentPages ?? 0) * pageBytes,
    readStdout,
  }
}
