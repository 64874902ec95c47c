import { type ChildProcess, spawn } from 'node:child_process'
import type { SpawnOptions, SpawnResult } from '../context.ts'
import { Cancelled } from '../outcomes.ts'

const defaultOutputBytes = 1024 * 1024

/** The programs of one attempt: they end with it. */
export class Programs {
  readonly #running = new Set<ChildProcess>()
  readonly #signal: AbortSignal
  readonly #environment: Readonly<Record<string, string>>
  readonly #cwd: string
  readonly #log: (text: string) => void

  constructor(options: {
    readonly signal: AbortSignal
    readonly environment: Readonly<Record<string, string>>
    readonly cwd: string
    readonly log: (text: string) => void
  }) {
    this.#signal = options.signal
    this.#environment = options.environment
    this.#cwd = options.cwd
    this.#log = options.log
  }

  /** As HandlerContext.spawn. */
  run(program: string, args: readonly string[] = [], options: SpawnOptions = {}): Promise<SpawnResult> {
    if (this.#signal.aborted) return Promise.reject(new Cancelled())
    return new Promise((resolve, reject) => {
      const child = spawn(program, args, {
        cwd: options.cwd ?? this.#cwd,
        env: { ...this.#environment, ...options.env },
        // A group of its own: its children end with it.
        detached: process.platform !== 'win32',
        windowsHide: true,
      })
      this.#running.add(child)
      const cancel = () => end(child)
      this.#signal.addEventListener('abort', cancel)
      const most = options.maxOutputBytes ?? defaultOutputBytes
      const tell = (text: string, stream: 'stdout' | 'stderr') =>
        options.onOutput === undefined ? this.#log(text) : options.onOutput(text, stream)
      const stdout = collect(child.stdout, most, (text) => tell(text, 'stdout'))
      const stderr = collect(child.stderr, most, (text) => tell(text, 'stderr'))
      // It may end before it has read everything.
      child.stdin.on('error', () => undefined).end(options.stdin ?? '')
      const settled = () => {
        this.#running.delete(child)
        this.#signal.removeEventListener('abort', cancel)
      }
      child.once('error', (error) => {
        settled()
        reject(new Error(`cannot start ${program}: ${error.message}`, { cause: error }))
      })
      child.once('close', (exitCode, signal) => {
        settled()
        if (this.#signal.aborted) reject(new Cancelled())
        else resolve({ exitCode, signal, stdout: stdout(), stderr: stderr() })
      })
    })
  }

  /** Ends what still runs. */
  end(): void {
    for (const child of this.#running) end(child)
  }
}

function end(child: ChildProcess): void {
  try {
    if (child.pid !== undefined && process.platform !== 'win32') process.kill(-child.pid, 'SIGKILL')
    else child.kill('SIGKILL')
  } catch {
    // It is gone.
  }
}

/** @returns what came so far: head and tail when it was more than `most` bytes */
function collect(stream: NodeJS.ReadableStream, most: number, tell: (text: string) => void): () => string {
  let text = ''
  stream.setEncoding('utf8').on('data', (piece: string) => {
    tell(piece)
    text += piece
    if (text.length > 4 * most) text = shorten(text, most)
  })
  return () => (Buffer.byteLength(text) > most ? shorten(text, most) : text)
}

function shorten(text: string, most: number): string {
  const half = Math.floor(most / 2)
  return `${text.slice(0, half)}\n…\n${half === 0 ? '' : text.slice(-half)}`
}
