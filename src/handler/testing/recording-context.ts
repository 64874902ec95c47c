import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { artifactNameProblem, isReservedName } from '../artifact-name.ts'
import type { Artifact, Cancellation, HandlerContext, HandlerLog } from '../context.ts'
import { checkedDevice, type ReportedDevice } from '../device.ts'
import { jsonProblem } from '../json-problem.ts'
import { Cancelled } from '../outcomes.ts'
import type { RecordedLog, RecordedProgress } from './run-options.ts'
import { Programs } from './spawn-program.ts'
import { storeArtifact } from './store-artifact.ts'

const largestCheckpoint = 16 * 1024 * 1024

/** The values that the context of a test has from the start. */
export type ContextValues = Omit<
  HandlerContext,
  'cancellation' | 'reportDevice' | 'progress' | 'checkpoint' | 'log' | 'artifact' | 'temporaryFile' | 'spawn'
>

export interface Listeners {
  readonly onProgress: (progress: RecordedProgress) => void
  readonly onCheckpoint: (state: unknown) => void
  /** @throws TypeError when a checkpoint does not fit the handler's schema */
  readonly checkCheckpoint: (state: unknown) => void
}

/** Records what a handler does and does it for real: files, programs, waits. */
export class RecordingContext {
  readonly progress: RecordedProgress[] = []
  readonly checkpoints: unknown[] = []
  readonly logs: RecordedLog[] = []
  readonly artifacts: Artifact[] = []
  readonly devices: ReportedDevice[] = []
  readonly context: HandlerContext
  readonly #names = new Set<string>()
  readonly #pending = new Set<Promise<Artifact>>()
  #hasEnded = false
  readonly #programs: Programs
  readonly #directory: string

  constructor(values: ContextValues, directory: string, listeners: Listeners) {
    this.#directory = directory
    const log = this.#log()
    this.#programs = new Programs({
      signal: values.signal,
      environment: values.environment,
      cwd: directory,
      log: (text) => log.info(text.replace(/\n$/, '')),
    })
    this.context = {
      ...values,
      cancellation: cancellationOf(values.signal),
      log,
      progress: (current, total = null, message = null, stage = null) => {
        const progress = { current, total, message, stage }
        this.progress.push(progress)
        listeners.onProgress(progress)
      },
      reportDevice: (name, kind) => {
        this.devices.push(checkedDevice(name, kind))
      },
      checkpoint: (state) => {
        this.#assertRuns()
        const kept = jsonCopy(state)
        listeners.checkCheckpoint(kept)
        this.checkpoints.push(kept)
        listeners.onCheckpoint(kept)
      },
      artifact: (name, data, mediaType) => this.#artifact(name, data, mediaType),
      temporaryFile: (name) => {
        const problem = artifactNameProblem(name)
        if (problem !== null) throw new TypeError(problem)
        const folder = join(directory, 'files')
        mkdirSync(folder, { recursive: true, mode: 0o700 })
        return join(folder, name)
      },
      spawn: async (program, args, options) => {
        this.#assertRuns()
        // Where it runs.
        mkdirSync(directory, { recursive: true, mode: 0o700 })
        return await this.#programs.run(program, args, options)
      },
    }
  }

  /** Waits for those that the handler did not wait for. @throws what one of them throws */
  async finishArtifacts(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending)
  }

  /** Ends the programs that still run; nothing works any more. */
  end(): void {
    this.#hasEnded = true
    this.#programs.end()
  }

  async #artifact(...[name, data, mediaType]: Parameters<HandlerContext['artifact']>): Promise<Artifact> {
    this.#assertRuns()
    if (isReservedName(name)) throw new TypeError(`the name "${name}" is kept for results that are too large`)
    if (this.#names.has(name)) throw new TypeError(`this attempt has an artifact "${name}" already`)
    this.#names.add(name)
    const keeping = storeArtifact(join(this.#directory, 'artifacts'), name, data, mediaType)
    this.#pending.add(keeping)
    try {
      const artifact = await keeping
      this.artifacts.push(artifact)
      return artifact
    } catch (error) {
      this.#names.delete(name)
      throw error
    } finally {
      this.#pending.delete(keeping)
    }
  }

  #assertRuns(): void {
    if (this.#hasEnded) throw new Error('the attempt has ended: its handler has returned before')
  }

  #log(): HandlerLog {
    const at = (level: RecordedLog['level']) => (message: string, details?: Readonly<Record<string, unknown>>) => {
      this.logs.push({ level, message, details: details ?? null })
    }
    return { info: at('info'), warn: at('warn'), error: at('error') }
  }
}

function jsonCopy(state: unknown): unknown {
  const problem = jsonProblem(state, 'checkpoint')
  if (problem !== null) throw new TypeError(problem)
  const text = JSON.stringify(state)
  if (Buffer.byteLength(text) > largestCheckpoint) throw new TypeError('checkpoint is larger than 16 MiB')
  return JSON.parse(text)
}

function cancellationOf(signal: AbortSignal): Cancellation {
  const throwIfCancelled = () => {
    if (signal.aborted) throw new Cancelled()
  }
  return {
    get isCancelled() {
      return signal.aborted
    },
    throwIfCancelled,
    wait: (ms) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) return reject(new Cancelled())
        const cancel = () => {
          clearTimeout(timer)
          reject(new Cancelled())
        }
        const timer = setTimeout(() => {
          signal.removeEventListener('abort', cancel)
          resolve()
        }, ms)
        signal.addEventListener('abort', cancel, { once: true })
      }),
  }
}
