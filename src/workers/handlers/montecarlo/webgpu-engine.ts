import type { Engine } from './engine.ts'
import { GpuWork, groupPaths } from './gpu-work.ts'
import { kernelSource } from './kernel.ts'
import { type OptionModel, sumScales } from './option.ts'
import { PathSimulator } from './simulate.ts'
import { type SumsTotal, sumCount } from './sums.ts'
import { type FoundAdapter, findAdapter } from './webgpu-adapter.ts'

/** What every GPU takes in one dimension. */
const mostGroups = 65_535
/** A driver whose sums differ more from those of the processor computes something else. */
const mostDifference = 1e-4

export type OpenedWebGpu =
  | { readonly engine: Engine; readonly problem: null }
  | { readonly engine: null; readonly problem: string }

/** @returns an engine that has passed a comparison with the processor, or why there is none */
export async function openWebGpu(model: OptionModel): Promise<OpenedWebGpu> {
  const began = performance.now()
  let opened: WebGpuEngine | null = null
  try {
    opened = await WebGpuEngine.open(await findAdapter(), model)
    await opened.check()
    opened.setupSeconds = (performance.now() - began) / 1000
    return { engine: opened, problem: null }
  } catch (error) {
    opened?.close()
    return { engine: null, problem: error instanceof Error ? error.message : String(error) }
  }
}

/** Computes in 32-bit numbers; the sums of each workgroup are added here in 64-bit ones. */
class WebGpuEngine implements Engine {
  readonly device: Engine['device']
  readonly chunks = { first: 256 * groupPaths, least: groupPaths, most: mostGroups * groupPaths }
  setupSeconds = 0
  /** Referred to as long as the device is used: were it collected, Dawn would go with it. */
  found: FoundAdapter | null
  readonly #device: GPUDevice
  readonly #model: OptionModel
  readonly #scales: readonly number[]
  readonly #work: GpuWork
  #problem: string | null = null

  private constructor(found: FoundAdapter, device: GPUDevice, pipeline: GPUComputePipeline, model: OptionModel) {
    this.found = found
    this.device = found.device
    this.#device = device
    this.#model = model
    this.#scales = sumScales(model)
    this.#work = new GpuWork(device, pipeline, model)
    device.addEventListener('uncapturederror', (event) => {
      this.#problem ??= event.error.message
    })
    device.lost.then(
      ({ message, reason }) => {
        if (reason !== 'destroyed') this.#problem ??= `the GPU is lost: ${message}`
      },
      () => undefined,
    )
  }

  static async open(found: FoundAdapter, model: OptionModel): Promise<WebGpuEngine> {
    const device = await found.adapter.requestDevice()
    try {
      const module = device.createShaderModule({ code: kernelSource })
      const pipeline = await device.createComputePipelineAsync({
        layout: 'auto',
        compute: { module, entryPoint: 'simulate' },
      })
      return new WebGpuEngine(found, device, pipeline, model)
    } catch (error) {
      device.destroy()
      throw error
    }
  }

  /** @throws Error when this driver does not compute what the processor does, of the same paths */
  async check(): Promise<void> {
    const expected = new PathSimulator(this.#model).simulate(0, groupPaths)
    const found = await this.#sums(0, groupPaths)
    for (let index = 0; index < sumCount; index += 1) {
      const [want = 0, got = 0] = [expected[index], found[index]]
      if (!(Math.abs(got - want) <= mostDifference * Math.max(Math.abs(want), 1e-6)))
        throw new Error(
          `${this.device.name} computes ${got} where the processor computes ${want}; its driver is not used`,
        )
    }
  }

  async addPaths(first: number, count: number, total: SumsTotal): Promise<void> {
    const values = await this.#sums(first, count)
    for (let index = 0; index < sumCount; index += 1) values[index] = (values[index] ?? 0) * (this.#scales[index] ?? 1)
    total.addValues(count, values)
  }

  close(): void {
    this.#device.destroy()
    this.found = null
  }

  /** @throws Error when the GPU failed */
  async #sums(first: number, count: number): Promise<Float64Array> {
    const values = await this.#work.run(first, count)
    if (this.#problem !== null) throw new Error(this.#problem)
    if (!values.every(Number.isFinite)) throw new Error('it gave sums that are no numbers')
    return values
  }
}
