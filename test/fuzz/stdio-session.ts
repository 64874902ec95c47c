import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readStat } from '../support/proc.ts'
import { distMain } from '../support/repository.ts'
import type { TemporaryHome } from '../support/temporary-home.ts'
import { type AnswerBook, createAnswerBook } from './answer-book.ts'

const pageBytes = 4_096
/** Requests that may wait for their answers before no more frames are sent. */
const mostWaiting = 128
const checkMs = 2
/** Longer than any long poll. */
const defaultHangMs = 60_000

/** A front end over stdio, whose answers are always read and judged. */
export interface StdioSession {
  readonly pid: number
  readonly book: AnswerBook
  /** Sends bytes, not faster than the server takes them. @throws Error when the server is gone */
  send(bytes: Buffer): Promise<void>
  /** Ends stdin. */
  end(): void
  /** Waits until every request was answered, or for so long that they hang. */
  drain(): Promise<void>
  /** Requests that were never answered, as they were sent. */
  readonly hung: readonly string[]
  /** Sends a request and waits. @returns its answer, null when none came in time */
  ask(frame: Record<string, unknown>, limitMs?: number): Promise<Record<string, unknown> | null>
  residentBytes(): number
  stderrBytes(): number
  /** The beginning of stderr. */
  stderr(): string
  /** Null while the process lives. */
  exit(): { readonly code: number | null; readonly signal: NodeJS.Signals | null } | null
  close(): Promise<void>
}

const command: readonly string[] = [distMain, 'mcp']

/** @param hangMs a request that waits longer hangs; longer than the longest poll that frames ask for */
export function startStdioSession(home: TemporaryHome, hangMs = defaultHangMs): StdioSession {
  const child: ChildProcessWithoutNullStreams = spawn(process.execPath, command, { env: { ...home.environment } })
  home.ledger.add(child.pid)
  const pid = child.pid ?? 0
  const book = createAnswerBook()
  const wanted = new Map<string, (answer: Record<string, unknown>) => void>()
  let exit: ReturnType<StdioSession['exit']> = null
  let stderr = ''
  let stderrBytes = 0
  const hung: string[] = []
  let rest = ''

  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      book.received(line)
      const id = wanted.size === 0 ? undefined : [...wanted.keys()].find((known) => line.includes(`"${known}"`))
      if (id === undefined) continue
      const message = JSON.parse(line) as Record<string, unknown>
      if (message['id'] === id) wanted.get(id)?.(message)
    }
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderrBytes += Buffer.byteLength(text)
    if (stderr.length < 4_000) stderr += text.slice(0, 4_000)
  })
  child.stdin.on('error', () => {})
  const exited = new Promise<null>((resolve) => {
    child.once('exit', (code, signal) => {
      exit = { code, signal }
      resolve(null)
    })
  })

  const waitFor = async (atMost: number) => {
    const deadline = performance.now() + hangMs
    while (book.waitingCount > atMost && exit === null) {
      if (performance.now() > deadline) hung.push(...book.giveUp())
      await new Promise((resolve) => setTimeout(resolve, checkMs))
    }
  }

  const send: StdioSession['send'] = async (bytes) => {
    if (exit !== null) throw new Error(`the front end ended with ${JSON.stringify(exit)}: ${stderr}`)
    book.sent(bytes)
    if (!child.stdin.write(bytes)) await Promise.race([once(child.stdin, 'drain'), exited])
    if (book.waitingCount >= mostWaiting) await waitFor(mostWaiting >> 1)
  }

  return {
    pid,
    book,
    send,
    drain: () => waitFor(0),
    hung,
    end: () => child.stdin.end(),
    async ask(frame, limitMs = hangMs) {
      const id = String(frame['id'])
      const answer = new Promise<Record<string, unknown>>((resolve) => wanted.set(id, resolve))
      await send(Buffer.from(`${JSON.stringify(frame)}\n`))
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<null>((resolve) => {
        timer = setTimeout(resolve, limitMs, null)
      })
      try {
        return await Promise.race([answer, late, exited])
      } finally {
        clearTimeout(timer)
        wanted.delete(id)
      }
    },
    residentBytes: () => (readStat(pid)?.residentPages ?? 0) * pageBytes,
    stderrBytes: () => stderrBytes,
    stderr: () => stderr,
    exit: () => exit,
    async close() {
      if (exit !== null) return
      child.stdin.end()
      await exited
    },
  }
}
