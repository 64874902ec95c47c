import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { QueueError } from '../../domain/errors.ts'
import { formatDuration } from '../../domain/format-duration.ts'
import { type DescribeOrder, type FileDescription, fileDescription } from './description.ts'
import { handlerEntry } from './handler-entry.ts'

export interface DescribeOptions {
  /** The handler directory: where the process runs. */
  readonly directory: string
  /** For each file; default 10 s. */
  readonly limitMs?: number
  /** Of the process; default 512. */
  readonly heapMegabytes?: number
  /** Ends it. */
  readonly signal?: AbortSignal
}

const defaultLimitMs = 10_000
const defaultHeapMegabytes = 512
/** Until the process is there; a machine may be busy. */
const startLimitMs = 30_000
/** A process needs these to start; nothing else of the manager's environment is given to it. */
const neededNames = ['PATH', 'SYSTEMROOT', 'TEMP', 'TMP', 'TMPDIR']

/**
 * Loads handler files in processes of their own. A file that loops for ever or ends the process only loses itself.
 * @returns a description of each file, in their order
 * @throws QueueError limit_exceeded when no process could be started, internal when it is not installed
 */
export async function describeFiles(
  files: readonly string[],
  options: DescribeOptions,
): Promise<readonly FileDescription[]> {
  const described: FileDescription[] = []
  while (described.length < files.length) {
    const rest = files.slice(described.length)
    const { answers, problem } = await describeSome(rest, options)
    options.signal?.throwIfAborted()
    described.push(...answers)
    const culprit = files[described.length]
    if (culprit !== undefined) described.push({ ok: false, file: culprit, problem })
  }
  return described
}

interface Ending {
  readonly answers: readonly FileDescription[]
  /** What became of the file behind the last answer. */
  readonly problem: string
}

function describeSome(files: readonly string[], options: DescribeOptions): Promise<Ending> {
  const limitMs = options.limitMs ?? defaultLimitMs
  const heapMegabytes = options.heapMegabytes ?? defaultHeapMegabytes
  const child = start(files, options.directory, startLimitMs + limitMs * files.length, heapMegabytes)
  return new Promise((resolve, reject) => {
    const answers: FileDescription[] = []
    let isReady = false
    let isLate = false
    let printed = ''
    const late = () => {
      isLate = true
      end(child)
    }
    let timer = setTimeout(late, startLimitMs)
    const abort = () => end(child)
    options.signal?.addEventListener('abort', abort)
    createInterface({ input: child.stdio[3] as Readable }).on('line', (line) => {
      clearTimeout(timer)
      timer = setTimeout(late, limitMs)
      if (!isReady) isReady = true
      else answers.push(answerOf(line, files[answers.length] ?? ''))
    })
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      printed = (printed + text).slice(-8_000)
    })
    const settled = () => {
      clearTimeout(timer)
      options.signal?.removeEventListener('abort', abort)
    }
    child.once('error', (error) => {
      settled()
      reject(cannotStart(error.message))
    })
    // What a module started may outlive it, and hold the pipe.
    child.once('exit', () => end(child))
    child.once('close', (code, signal) => {
      settled()
      if (!isReady && options.signal?.aborted !== true)
        return reject(cannotStart(lastLine(printed) ?? `it ended with ${code ?? signal}`))
      resolve({
        answers,
        problem: isLate ? lateProblem(limitMs) : deathProblem({ code, signal, printed, heapMegabytes }),
      })
    })
  })
}

function start(files: readonly string[], cwd: string, longestMs: number, heapMegabytes: number): ChildProcess {
  const entry = handlerEntry('describe-main')
  if (!existsSync(entry)) {
    throw new QueueError('internal', `the program ${entry} is missing`, {
      remedy: 'Reinstall Nightkiln (from source: npm run build).',
    })
  }
  const kept = Object.entries(process.env).filter(([name]) => neededNames.includes(name.toUpperCase()))
  const child = spawn(process.execPath, [`--max-old-space-size=${heapMegabytes}`, entry], {
    cwd,
    env: { ...Object.fromEntries(kept), NIGHTKILN_PROCESS: 'describer' },
    stdio: ['pipe', 'ignore', 'pipe', 'pipe'],
    // A group of its own, so that what a module starts ends with it.
    detached: process.platform !== 'win32',
    windowsHide: true,
  })
  const order: DescribeOrder = { files: [...files], longest_ms: longestMs }
  child.stdin?.on('error', () => undefined).end(JSON.stringify(order))
  return child
}

function end(child: ChildProcess): void {
  try {
    if (child.pid !== undefined && process.platform !== 'win32') process.kill(-child.pid, 'SIGKILL')
    else child.kill('SIGKILL')
  } catch {
    // It is gone.
  }
}

function answerOf(line: string, file: string): FileDescription {
  try {
    const answer = fileDescription.parse(JSON.parse(line))
    if (answer.file === file) return answer
  } catch {
    // Told below.
  }
  return { ok: false, file, problem: 'it wrote into the pipe of the process that describes it' }
}

function lateProblem(limitMs: number): string {
  return `it was not loaded within ${formatDuration(limitMs)}: it computes or waits at its top level; do that in run`
}

interface Death {
  readonly code: number | null
  readonly signal: string | null
  readonly printed: string
  readonly heapMegabytes: number
}

function deathProblem({ code, signal, printed, heapMegabytes }: Death): string {
  if (/heap out of memory/i.test(printed)) return `it needs more than ${heapMegabytes} MB of memory to be loaded`
  const said = lastLine(printed)
  const how = signal === null ? `exit code ${code}` : signal
  return `it ended the process that loaded it (${how})${said === undefined ? '' : `; last it printed: ${said}`}`
}

function lastLine(text: string): string | undefined {
  return text.trim().split('\n').at(-1)?.trim().slice(0, 300) || undefined
}

function cannotStart(reason: string): QueueError {
  return new QueueError('limit_exceeded', `the process that describes handlers could not be started: ${reason}`)
}
