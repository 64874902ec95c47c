import type { HandlerContext } from '../../../handler/index.ts'
import { checkpointProblem, type MonteCarloCheckpoint } from './checkpoint.ts'
import { cpuEngine } from './cpu-engine.ts'
import { type Engine, nextChunk } from './engine.ts'
import { mergeUnits } from './merge-units.ts'
import { optionModel } from './option.ts'
import type { ComputedOn, MonteCarloParams, MonteCarloResult, MonteCarloUnit, PathRange } from './params.ts'
import { addComputed, resultOf } from './result.ts'
import { rangeOf } from './slice.ts'
import { SumsTotal } from './sums.ts'
import { openWebGpu } from './webgpu-engine.ts'

type Context = HandlerContext<MonteCarloParams, MonteCarloUnit | undefined, MonteCarloCheckpoint>

const saveEveryMs = 1000

/** Computes the paths of a unit, or merges what all units gave. */
export async function performMonteCarlo(context: Context, openGpu = openWebGpu): Promise<MonteCarloResult> {
  if (context.resultsFile !== null) return mergeUnits(context.resultsFile)
  const run = new MonteCarloRun(context, openGpu)
  try {
    return await run.finish()
  } finally {
    run.close()
  }
}

class MonteCarloRun {
  readonly #context: Context
  readonly #openGpu: typeof openWebGpu
  readonly #range: PathRange
  readonly #total: SumsTotal
  #engine: Engine | null = null
  #next: number
  #computedOn: readonly ComputedOn[]

  constructor(context: Context, openGpu: typeof openWebGpu) {
    this.#context = context
    this.#openGpu = openGpu
    this.#range = rangeOf(context.params, context.unit)
    const saved = this.#usable(context.lastCheckpoint)
    this.#total = new SumsTotal(saved?.sums)
    this.#next = saved?.next_path ?? this.#range.first_path
    this.#computedOn = saved?.computed_on ?? []
  }

  async finish(): Promise<MonteCarloResult> {
    const { cancellation, params } = this.#context
    const end = this.#range.first_path + this.#range.paths
    let engine = await this.#open()
    let chunk = Math.min(params.chunk_paths ?? engine.chunks.first, engine.chunks.most)
    let savedAt = performance.now()
    if (this.#next > this.#range.first_path)
      this.#context.log.info(`goes on at path ${this.#next}; those before it are computed already`)
    this.#tell(null)
    cancellation.throwIfCancelled()
    while (this.#next < end) {
      const paths = Math.min(chunk, end - this.#next)
      const began = performance.now()
      try {
        await engine.addPaths(this.#next, paths, this.#total)
      } catch (error) {
        engine = this.#goOnWithoutGpu(engine, error)
        chunk = Math.min(params.chunk_paths ?? engine.chunks.first, engine.chunks.most)
        continue
      }
      const tookMs = performance.now() - began
      this.#note(engine, paths, tookMs)
      this.#tell(paths / tookMs)
      if (params.chunk_paths === undefined) chunk = nextChunk(paths, tookMs, engine.chunks)
      if (cancellation.isCancelled || performance.now() - savedAt >= saveEveryMs) {
        this.#save()
        savedAt = performance.now()
      }
      // Lets the thread hear of a cancel.
      await cancellation.wait(0)
    }
    return resultOf({
      params,
      sums: this.#total.sums,
      ranges: [this.#range],
      computedOn: this.#computedOn,
      unitsMissing: 0,
    })
  }

  close(): void {
    this.#engine?.close()
  }

  async #open(): Promise<Engine> {
    const model = optionModel(this.#context.params)
    if (this.#context.compute === 'gpu') {
      const opened = await this.#openGpu(model)
      if (opened.engine !== null) return this.#use(opened.engine)
      this.#context.log.warn(`computes on the processor instead of a GPU: ${opened.problem}`)
    }
    return this.#use(cpuEngine(model))
  }

  #use(engine: Engine): Engine {
    this.#engine = engine
    this.#context.reportDevice(engine.device.name, engine.device.kind)
    this.#computedOn = addComputed(this.#computedOn, {
      ...engine.device,
      paths: 0,
      seconds: 0,
      setup_seconds: engine.setupSeconds,
    })
    return engine
  }

  /** A chunk that failed left nothing behind; the processor computes it and the rest. */
  #goOnWithoutGpu(failed: Engine, error: unknown): Engine {
    if (failed.device.kind === 'cpu') throw error
    const message = error instanceof Error ? error.message : String(error)
    this.#context.log.warn(`goes on at path ${this.#next} on the processor: ${failed.device.name} failed: ${message}`)
    failed.close()
    return this.#use(cpuEngine(optionModel(this.#context.params)))
  }

  #note({ device }: Engine, paths: number, tookMs: number): void {
    this.#next += paths
    this.#computedOn = addComputed(this.#computedOn, { ...device, paths, seconds: tookMs / 1000, setup_seconds: 0 })
  }

  #tell(pathsPerMs: number | null): void {
    const pace = pathsPerMs === null ? null : `${(pathsPerMs / 1000).toPrecision(3)} million paths a second`
    this.#context.progress(this.#next - this.#range.first_path, this.#range.paths, pace, 'simulating')
  }

  #save(): void {
    this.#context.checkpoint({
      next_path: this.#next,
      sums: this.#total.sums,
      computed_on: [...this.#computedOn],
    })
  }

  #usable(checkpoint: MonteCarloCheckpoint | null): MonteCarloCheckpoint | null {
    const problem = checkpoint === null ? null : checkpointProblem(checkpoint, this.#range)
    if (problem !== null) this.#context.log.warn(`starts from the first path: the checkpoint does not fit, ${problem}`)
    return problem === null ? checkpoint : null
  }
}
