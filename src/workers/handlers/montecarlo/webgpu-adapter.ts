import type { ComputedOn } from './params.ts'

export interface FoundAdapter {
  readonly adapter: GPUAdapter
  readonly device: Pick<ComputedOn, 'name' | 'kind'>
  /** Drop it last: with it goes what every object of it needs. */
  readonly gpu: GPU
}

/**
 * Looks for a GPU through the optional package `webgpu`.
 * @throws Error that says what is missing
 */
export async function findAdapter(): Promise<FoundAdapter> {
  const gpu = await loadWebGpu()
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' })
  if (adapter === null)
    throw new Error('WebGPU finds no GPU; on Linux it needs a Vulkan driver (libvulkan.so.1 and one of the GPU)')
  return { adapter, device: deviceOf(adapter.info), gpu }
}

async function loadWebGpu(): Promise<GPU> {
  try {
    const { create } = await import('webgpu')
    return create([])
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND')
      throw new Error(
        'the optional package webgpu is not installed; install it beside nightkiln: npm install webgpu@0.6',
      )
    throw new Error(`the package webgpu cannot be loaded: ${error instanceof Error ? error.message : String(error)}`)
  }
}

type AdapterInfo = Pick<GPUAdapterInfo, 'vendor' | 'architecture' | 'device' | 'description' | 'isFallbackAdapter'>

/** @returns its name for people; what imitates a GPU on the processor is no GPU */
export function deviceOf(info: AdapterInfo): FoundAdapter['device'] {
  const isSoftware =
    info.isFallbackAdapter ||
    ['software', 'swiftshader'].includes(info.architecture) ||
    /llvmpipe|lavapipe|swiftshader|basic render/i.test(`${info.device} ${info.description}`)
  // Dawn writes a name such as "NVIDIA H200 (x)" as "nvidia-h200--x-"; the description is of the driver.
  const device = info.device.replace(/-+$/, '')
  const model = device || [info.vendor, info.architecture].filter((part) => part !== '').join(' ')
  const name = [model, info.description === '' || info.description === model ? '' : `(${info.description})`]
    .filter((part) => part !== '')
    .join(' ')
    .slice(0, 200)
  return { name: name || 'a GPU without a name', kind: isSoftware ? 'software' : 'gpu' }
}
