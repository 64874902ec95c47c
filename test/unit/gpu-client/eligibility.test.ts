import { describe, expect, test } from 'vitest'
import type { GpuNeed } from '../../../src/domain/ports/remote-executor.ts'
import { whyNot } from '../../../src/gpu-client/fleet/eligibility.ts'
import type { WorkerLook } from '../../../src/gpu-client/fleet/worker-look.ts'

const need: GpuNeed = { type: 'montecarlo', version: '1', gpuMemoryMegabytes: null, pure: false }
const gpu = {
  index: 0,
  name: 'RTX',
  uuid: null,
  memory_total_mb: 8_000,
  memory_used_mb: null,
  driver_version: null,
  utilization: null,
  software: false,
}
const look: Extract<WorkerLook, { mode: 'full' }> = {
  mode: 'full',
  status: 'READY',
  version: '1',
  boot_id: 'b',
  slots: { total: 1, free: 0 },
  gpus: [gpu],
  job_types: {
    montecarlo: { version: '1', checkpoint_format: 'a', gpu: true },
    slow: { version: '1', checkpoint_format: 'a', gpu: false },
  },
}
const entry = { url: 'https://rig.local' }
const cog: WorkerLook = { mode: 'cog', status: 'READY', version: null, slots: { total: 1, free: 1 }, gpus: [] }
const cogEntry = { ...entry, cog_type: 'montecarlo', allow_cpu: true }

const code = (...given: Parameters<typeof whyNot>): string | null => whyNot(...given)?.code ?? null

describe('a full worker', () => {
  test('serves what it lists, places aside', () => {
    expect(code(need, entry, look)).toBeNull()
    expect(code(need, entry, { ...look, status: 'BUSY' })).toBeNull()
  })

  test.each([
    [{ ...need, type: 'other' }, 'UNKNOWN_TYPE'],
    [{ ...need, type: 'constructor' }, 'UNKNOWN_TYPE'],
    [{ ...need, version: '2' }, 'UNKNOWN_VERSION'],
    [{ ...need, gpuMemoryMegabytes: 9_000 }, 'GPU_TOO_SMALL'],
    [{ ...need, gpuMemoryMegabytes: 8_000 }, null],
    [{ ...need, type: 'slow' }, 'NO_GPU'],
  ])('%j: %s', (wanted, expected) => {
    expect(code(wanted, entry, look)).toBe(expected)
  })

  test('without a hardware GPU serves only where its entry says so', () => {
    for (const gpus of [[], [{ ...gpu, software: true }]]) {
      expect(code(need, entry, { ...look, gpus })).toBe('NO_GPU')
      expect(code(need, { ...entry, allow_cpu: true }, { ...look, gpus })).toBeNull()
    }
    expect(code({ ...need, type: 'slow' }, { ...entry, allow_cpu: true }, look)).toBeNull()
  })

  test('is not taken for its software adapter, however large', () => {
    const gpus = [gpu, { ...gpu, software: true, memory_total_mb: 64_000 }]
    expect(code({ ...need, gpuMemoryMegabytes: 9_000 }, entry, { ...look, gpus })).toBe('GPU_TOO_SMALL')
  })

  test('that tells no memory is not promised to have enough', () => {
    const gpus = [{ ...gpu, memory_total_mb: null }]
    expect(code({ ...need, gpuMemoryMegabytes: 1 }, entry, { ...look, gpus })).toBe('GPU_TOO_SMALL')
    expect(code(need, entry, { ...look, gpus })).toBeNull()
  })

  test.each(['STARTING', 'SETUP_FAILED', 'DEFUNCT', 'UNHEALTHY'] as const)('takes nothing while %s', (status) => {
    expect(whyNot(need, entry, { ...look, status })).not.toBeNull()
  })
})

describe('a plain Cog server', () => {
  const pure = { ...need, pure: true }
  test.each([
    [pure, cogEntry, null],
    [need, cogEntry, 'NOT_PURE'],
    [pure, { ...cogEntry, cog_type: 'other' }, 'UNKNOWN_TYPE'],
    [pure, { ...entry, cog_type: 'montecarlo' }, 'NO_GPU'],
    [pure, entry, 'UNKNOWN_TYPE'],
  ])('%j %j: %s', (wanted, with_, expected) => {
    expect(code(wanted, with_, cog)).toBe(expected)
  })
})
