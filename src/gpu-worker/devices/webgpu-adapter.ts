import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { z } from 'zod'
import type { WireGpu } from '../../domain/wire/prediction.ts'
import { type Ask, askProgram } from './nvidia-smi.ts'

/** In a process of its own: a driver that crashes or hangs takes that one with it. */
const script = `
const { create } = await import(process.argv[1])
const adapter = await create([]).requestAdapter()
if (adapter !== null) {
  const { vendor, architecture, device, description } = adapter.info
  const isFallbackAdapter = adapter.info.isFallbackAdapter ?? adapter.isFallbackAdapter ?? false
  console.log(JSON.stringify({ vendor, architecture, device, description, isFallbackAdapter }))
}
process.exit(0)
`

const text = z.string().max(500).default('')
const adapterInfo = z.object({
  vendor: text,
  architecture: text,
  device: text,
  description: text,
  isFallbackAdapter: z.boolean().default(false),
})

/** @returns the adapter that WebGPU computes on; null when the optional package "webgpu" or a driver is missing */
export async function webgpuAdapter(ask: Ask = askProgram): Promise<WireGpu | null> {
  try {
    const entry = pathToFileURL(createRequire(import.meta.url).resolve('webgpu')).href
    const told = await ask(process.execPath, ['--input-type=module', '-e', script, entry])
    return told.trim() === '' ? null : gpuOf(adapterInfo.parse(JSON.parse(told)))
  } catch {
    return null
  }
}

function gpuOf(info: z.infer<typeof adapterInfo>): WireGpu {
  const software = info.isFallbackAdapter || ['software', 'swiftshader'].includes(info.architecture.toLowerCase())
  const name =
    info.description || [info.vendor, info.device || info.architecture].filter((part) => part !== '').join(' ')
  return {
    index: 0,
    name: `${name === '' ? 'WebGPU adapter' : name}${software ? ' (software)' : ''}`.slice(0, 200),
    uuid: null,
    memory_total_mb: null,
    memory_used_mb: null,
    driver_version: null,
    utilization: null,
    software,
  }
}
