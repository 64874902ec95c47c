import { type ChildProcess, spawn } from 'node:child_process'
import { appendFile, mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { endTree, type TreeKiller } from '../end-tree.ts'
import type { AttemptMark } from '../marks.ts'
import { attemptNames } from './attempt-names.ts'
import { HeadTailText } from './head-tail-text.ts'
import type { SpawnRequest, ToThread } from './thread-messages.ts'

export interface ProgramOptions {
  /** Of the attempt; made when it is needed. */
  readonly directory: string
  readonly mark: AttemptMark
  /** The submitting client's. */
  readonly environment: Readonly<Record<string, string>>
  /** By which all processes of the attempt are known. */
  readonly marks: Readonly<Record<string, string>>
  readonly cwd: string | null
  readonly killer: TreeKiller
  readonly send: (message: ToThread) => void
  /** A sign of life. */
  readonly touch: () => void
  /** @returns false while its output must be shortened first */
  readonly mayWrite: () => boolean
}

/** Output that a thread has not taken. */
const aheadCharacters = 1024 * 1024
/** What a program left behind may hold its output open; nobody waits for that for long. */
const closeMs = 1_000
const leftoverGraceMs = 500
const pauseMs = 20

/**
 * Ends every process that carries the mark of an attempt, and what descends from one. No manager is named: the host itself is known
 * by its role, and children of its threads are in its own process group.
 */
export function endMarked(killer: TreeKiller, mark: AttemptMark, graceMs: number): Promise<readonly number[]> {
  return endTree(killer, { mark, runner: null, watched: true, managerPid: 0 }, graceMs)
}

interface Program {
  readonly child: ChildProcess
  readonly request: SpawnRequest
  /** Characters that were told and not taken. */
  ahead: number
  /** Pieces of output that were read. */
  pieces: number
  /** True while nobody takes its output. */
  isHeldUp: boolean
}

/** The programs that one attempt runs, as children of the host's main thread. They end with it, and all that they started. */
export class AttemptPrograms {
  readonly #options: ProgramOptions
  readonly #programs = new Map<number, Program>()
  #ending: Promise<readonly number[]> | null = null

  constructor(options: ProgramOptions) {
    this.#options = options
  }

  start(request: SpawnRequest): void {
    void this.#run(request).catch((error: unknown) =>
      this.#options.send({ kind: 'child_failed', id: request.id, message: startProblem(error, request) }),
    )
  }

  taken(id: number, length: number): void {
    const program = this.#programs.get(id)
    if (program !== undefined) program.ahead -= length
  }

  kill(id: number): void {
    const pid = this.#programs.get(id)?.child.pid
    if (pid !== undefined) signalGroup(pid, 'SIGKILL')
  }

  /**
   * Ends all of them, TERM before KILL.
   * @returns those that could not be ended
   */
  end(graceMs = leftoverGraceMs): Promise<readonly number[]> {
    const { killer, mark } = this.#options
    // There neither marks nor groups can be seen.
    if (process.platform === 'win32') for (const { child } of this.#programs.values()) child.kill()
    this.#ending ??= endMarked(killer, mark, graceMs)
    return this.#ending
  }

  /** Those that run. */
  get pids(): readonly number[] {
    return [...this.#programs.values()].flatMap(({ child }) => child.pid ?? [])
  }

  async #run(request: SpawnRequest): Promise<void> {
    const { directory, environment, marks, send } = this.#options
    const base = this.#options.cwd ?? directory
    if (base === directory) await mkdir(directory, { recursive: true, mode: 0o700 })
    if (this.#ending !== null) return
    const child = spawn(request.program, [...request.args], {
      cwd: request.cwd === null ? base : resolve(base, request.cwd),
      // The marks stand, whatever a handler asks for.
      env: { ...environment, ...request.env, ...marks },
      // A group of its own, which can be ended as a whole.
      detached: true,
      stdio: [request.stdin === null ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      windowsHide: true,
    })
    const program: Program = { child, request, ahead: 0, pieces: 0, isHeldUp: false }
    const ended = new Promise<void>((done, failed) => {
      child.once('error', failed)
      child.once('exit', () => done())
    })
    this.#programs.set(request.id, program)
    try {
      if (child.pid !== undefined) feed(child, request.stdin)
      const kept = (['stdout', 'stderr'] as const).map((name) => this.#follow(program, name))
      await ended
      await Promise.race([Promise.all(kept.map((one) => one.done)), this.#quiet(program)])
      const [stdout, stderr] = kept.map((one) => one.kept.text())
      const { exitCode, signalCode: signal } = child
      send({ kind: 'child_ended', id: request.id, exitCode, signal, stdout: stdout ?? '', stderr: stderr ?? '' })
    } finally {
      child.stdout?.destroy()
      child.stderr?.destroy()
      this.#programs.delete(request.id)
    }
  }

  /** Reads one stream to its end, no faster than its output is taken. */
  #follow(program: Program, name: 'stdout' | 'stderr'): { readonly kept: HeadTailText; readonly done: Promise<void> } {
    const kept = new HeadTailText(program.request.maxOutputBytes)
    const decoder = new StringDecoder('utf8')
    const read = async (stream: Readable): Promise<void> => {
      for await (const piece of stream as AsyncIterable<Buffer>) {
        kept.push(piece)
        program.pieces += 1
        this.#options.touch()
        program.isHeldUp = true
        if (program.request.tellOutput) await this.#tell(program, name, decoder.write(piece))
        else await this.#log(piece)
        program.isHeldUp = false
      }
    }
    const stream = program.child[name]
    return { kept, done: stream === null ? Promise.resolve() : read(stream).catch(() => undefined) }
  }

  async #tell(program: Program, stream: 'stdout' | 'stderr', text: string): Promise<void> {
    if (text === '') return
    program.ahead += text.length
    this.#options.send({ kind: 'child_output', id: program.request.id, stream, text })
    while (program.ahead > aheadCharacters && this.#ending === null) await pause()
  }

  async #log(piece: Buffer): Promise<void> {
    const { directory, mayWrite } = this.#options
    while (!mayWrite() && this.#ending === null) await pause()
    await mkdir(directory, { recursive: true, mode: 0o700 })
    await appendFile(join(directory, attemptNames.output), piece, { mode: 0o600 })
  }

  /** Resolves when the output of an ended program has stood still for a while: something that it left behind holds it open. */
  async #quiet(program: Program): Promise<void> {
    for (let before = -1; program.isHeldUp || program.pieces !== before; ) {
      before = program.pieces
      await new Promise((done) => setTimeout(done, closeMs))
    }
  }
}

function pause(): Promise<void> {
  return new Promise((done) => setTimeout(done, pauseMs))
}

function feed(child: ChildProcess, stdin: string | Uint8Array | null): void {
  if (stdin === null) return
  // A program that does not read its input is free to.
  child.stdin?.on('error', () => undefined)
  child.stdin?.end(stdin)
}

function signalGroup(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(-pid, name)
  } catch {
    // Gone already.
  }
}

function startProblem(error: unknown, { program, cwd }: SpawnRequest): string {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'ENOENT')
    return `the program "${program}" was not found${cwd === null ? '' : `, or the directory "${cwd}"`}`
  if (code === 'EACCES') return `the program "${program}" may not be executed`
  return `the program "${program}" could not be started: ${message}`
}
