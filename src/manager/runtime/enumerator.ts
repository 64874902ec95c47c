import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { type EnumerationOrder, enumerationAnswer } from '../../domain/enumeration.ts'
import { QueueError } from '../../domain/errors.ts'
import { formatDuration } from '../../domain/format-duration.ts'
import type { Json } from '../../domain/job.ts'

/** Of its heap; a larger source needs a form that is read piece by piece. */
const defaultHeapMegabytes = 512
/** Each may take that memory and read a whole disk. */
const enumeratorsAtOnce = 2
const mostOutput = 8 * 1024 * 1024
/** A process needs these to start; nothing else of the manager's environment is given to it. */
const neededNames = ['PATH', 'SYSTEMROOT', 'TEMP', 'TMP', 'TMPDIR']

let running = 0
const waiting: (() => void)[] = []

/**
 * Runs one enumerator and waits for it; at most two run at once.
 * @throws QueueError what the enumerator answers; limit_exceeded when it takes too long or too much memory
 */
export async function runEnumerator(
  order: EnumerationOrder,
  heapMegabytes: number = defaultHeapMegabytes,
): Promise<{ readonly total: number; readonly first: Json }> {
  if (running >= enumeratorsAtOnce) await new Promise<void>((resolve) => waiting.push(resolve))
  else running += 1
  try {
    return await runOne(order, heapMegabytes)
  } finally {
    const next = waiting.shift()
    // The place goes on to the next one.
    if (next !== undefined) next()
    else running -= 1
  }
}

interface Ending {
  readonly code: number | null
  readonly output: string
  readonly errors: string
  readonly late: boolean
}

async function runOne(
  order: EnumerationOrder,
  heapMegabytes: number,
): Promise<{ readonly total: number; readonly first: Json }> {
  const { kind } = order.source
  const ending = await processOf(order, heapMegabytes)
  const answer = ending.late ? null : parseAnswer(ending.output)
  if (answer?.ok === true) return answer
  await rm(`${order.file}.tmp`, { force: true })
  if (answer?.ok === false) throw new QueueError(answer.code, answer.message, { remedy: answer.remedy })
  if (ending.late) {
    throw new QueueError('limit_exceeded', `the ${kind} source was not read within ${formatDuration(order.limit_ms)}`, {
      remedy:
        'Narrow it: a deeper root, exclude, a query with an index. Or write the list to a file first and use {"kind":"lines"}.',
    })
  }
  if (/heap out of memory/i.test(ending.errors)) {
    throw new QueueError('limit_exceeded', `the ${kind} source needs more than ${heapMegabytes} MB of memory`, {
      remedy: 'Make it smaller, or write one unit a line and use {"kind":"lines"}.',
    })
  }
  throw new QueueError('internal', `the enumerator ended with ${ending.code}: ${ending.errors.slice(-500)}`)
}

function processOf(order: EnumerationOrder, heapMegabytes: number): Promise<Ending> {
  const entry = enumeratorEntry()
  if (!existsSync(entry)) {
    throw new QueueError('internal', `the program ${entry} is missing`, {
      remedy: 'Reinstall Nightkiln (from source: npm run build).',
    })
  }
  const child = spawn(process.execPath, [`--max-old-space-size=${heapMegabytes}`, entry], {
    cwd: '/',
    env: cleanEnvironment(),
    stdio: 'pipe',
    windowsHide: true,
  })
  // It may end before it has read everything.
  child.stdin.on('error', () => undefined).end(JSON.stringify(order))
  return ended(child, order.limit_ms)
}

function ended(child: ChildProcess, limitMs: number): Promise<Ending> {
  return new Promise((resolve, reject) => {
    let output = ''
    let errors = ''
    let late = false
    const timer = setTimeout(() => {
      late = true
      child.kill('SIGKILL')
    }, limitMs)
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      if (output.length < mostOutput) output += text
    })
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      errors = (errors + text).slice(-8_000)
    })
    child.once('error', (error) => {
      clearTimeout(timer)
      reject(
        new QueueError('limit_exceeded', `the enumerator could not be started: ${error.message}`, { cause: error }),
      )
    })
    child.once('close', (code) => {
      clearTimeout(timer)
      resolve({ code, output, errors, late })
    })
  })
}

function parseAnswer(output: string) {
  try {
    return enumerationAnswer.parse(JSON.parse(output))
  } catch {
    return null
  }
}

function cleanEnvironment(): Record<string, string> {
  const kept = Object.entries(process.env).filter(([name]) => neededNames.includes(name.toUpperCase()))
  return { ...(Object.fromEntries(kept) as Record<string, string>), NIGHTKILN_PROCESS: 'enumerator' }
}

function enumeratorEntry(): string {
  const here = fileURLToPath(new URL('../../sources/enumerate-main.js', import.meta.url))
  // From source the built one is started: processes always run what ships.
  return import.meta.url.endsWith('.ts') ? here.replace(/([\\/])src([\\/]sources[\\/])/, '$1dist$2') : here
}
