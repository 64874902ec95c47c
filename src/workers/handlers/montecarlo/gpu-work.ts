import { groupSums, groupThreads, threadPaths } from './kernel.ts'
import type { OptionModel } from './option.ts'
import { sumCount } from './sums.ts'

/** Paths of a workgroup. */
export const groupPaths = groupThreads * threadPaths

/** Of the WebGPU standard. */
const usage = { mapRead: 0x01, copySource: 0x04, copyDestination: 0x08, uniform: 0x40, storage: 0x80 } as const
const mapModeRead = 0x01
const taskBytes = 48

interface Buffers {
  readonly groups: number
  /** Written by the GPU, and its copy that can be read here. */
  readonly sums: GPUBuffer
  readonly answer: GPUBuffer
  readonly bindGroup: GPUBindGroup
}

/** Runs the kernel over some paths and reads what the workgroups gave. */
export class GpuWork {
  readonly #device: GPUDevice
  readonly #pipeline: GPUComputePipeline
  readonly #model: OptionModel
  readonly #task: GPUBuffer
  #buffers: Buffers | null = null

  constructor(device: GPUDevice, pipeline: GPUComputePipeline, model: OptionModel) {
    this.#device = device
    this.#pipeline = pipeline
    this.#model = model
    this.#task = device.createBuffer({ size: taskBytes, usage: usage.uniform | usage.copyDestination })
  }

  /**
   * @param count at most 65,535 workgroups of paths
   * @returns the sums of the payoffs in units of the spot, in the order of sumNames
   */
  async run(first: number, count: number): Promise<Float64Array> {
    const groups = Math.ceil(count / groupPaths)
    const { sums, answer, bindGroup } = this.#buffersFor(groups)
    const bytes = groups * groupSums * 4
    this.#device.queue.writeBuffer(this.#task, 0, this.#taskOf(first, count))
    const encoder = this.#device.createCommandEncoder()
    const pass = encoder.beginComputePass()
    pass.setPipeline(this.#pipeline)
    pass.setBindGroup(0, bindGroup)
    pass.dispatchWorkgroups(groups)
    pass.end()
    encoder.copyBufferToBuffer(sums, 0, answer, 0, bytes)
    this.#device.queue.submit([encoder.finish()])
    await answer.mapAsync(mapModeRead, 0, bytes)
    const total = addGroups(new Float32Array(answer.getMappedRange(0, bytes)))
    answer.unmap()
    return total
  }

  /** As the kernel's struct Task. */
  #taskOf(first: number, count: number): ArrayBuffer {
    const { fixings, key, drift, deviation, strikeRatio } = this.#model
    const task = new ArrayBuffer(taskBytes)
    new Uint32Array(task).set([first % 2 ** 32, Math.floor(first / 2 ** 32), count, fixings, key[0], key[1]])
    new Float32Array(task).set([drift, deviation, strikeRatio], 6)
    return task
  }

  #buffersFor(groups: number): Buffers {
    if (this.#buffers !== null && this.#buffers.groups >= groups) return this.#buffers
    this.#buffers?.sums.destroy()
    this.#buffers?.answer.destroy()
    const size = groups * groupSums * 4
    const sums = this.#device.createBuffer({ size, usage: usage.storage | usage.copySource })
    const answer = this.#device.createBuffer({ size, usage: usage.mapRead | usage.copyDestination })
    const bindGroup = this.#device.createBindGroup({
      layout: this.#pipeline.getBindGroupLayout(0),
      entries: [
        { binding: 0, resource: { buffer: this.#task } },
        { binding: 1, resource: { buffer: sums } },
      ],
    })
    this.#buffers = { groups, sums, answer, bindGroup }
    return this.#buffers
  }
}

function addGroups(values: Float32Array): Float64Array {
  const total = new Float64Array(sumCount)
  for (let at = 0; at < values.length; at += groupSums)
    for (let index = 0; index < sumCount; index += 1) total[index] = (total[index] ?? 0) + (values[at + index] ?? 0)
  return total
}
