import { expect, test } from 'vitest'
import type { GpuOptions } from '../../../src/domain/job.ts'
import type { GpuFacts } from '../../../src/manager/services/gpu-options.ts'
import { gpuOptions } from '../../../src/manager/services/gpu-options.ts'
import { gpuOfFirst } from '../../../src/manager/services/rerun-gpu.ts'

const prefer: GpuOptions = { preference: 'prefer', fallback: 'immediate', waitMs: 5_000 }
const require: GpuOptions = { preference: 'require', fallback: 'never', waitMs: 3_600_000 }
const facts: GpuFacts = { gpu: 'prefer', runs_on_cpu: true, pure: true }
const rest = {
  type: 'montecarlo',
  params: {},
  idempotency_key: 'k',
  context: { environment: {}, cwd: null, submitted_by: 't' },
}

test.for<readonly [string, GpuOptions | undefined, GpuFacts | null, object, object]>([
  ['keeps all', prefer, facts, {}, { gpu: 'prefer', gpu_fallback: 'immediate', gpu_wait_s: 5 }],
  ['keeps require', require, facts, {}, { gpu: 'require', gpu_wait_s: 3600 }],
  [
    'lets one be changed',
    prefer,
    facts,
    { gpu_wait_s: 9 },
    { gpu: 'prefer', gpu_fallback: 'immediate', gpu_wait_s: 9 },
  ],
  ['begins anew with another preference', prefer, facts, { gpu: 'require' }, { gpu: 'require' }],
  ['may give it up', prefer, facts, { gpu: 'never' }, { gpu: 'never' }],
  ['stays without, though its type asks now', undefined, facts, {}, { gpu: 'never' }],
  ['stays without', undefined, { ...facts, gpu: 'never' }, {}, {}],
  ['of no handler', undefined, null, {}, {}],
  ['goes with its type that needs one now', undefined, { ...facts, gpu: 'require', runs_on_cpu: false }, {}, {}],
])('a rerun %s', ([, first, type, overrides, expected]) => {
  const wish = { ...gpuOfFirst(first, type, overrides), ...overrides }
  expect(wish).toEqual(expected)
  // What it says is accepted as it is.
  expect(() => gpuOptions('montecarlo', type, { ...rest, ...wish } as never)).not.toThrow()
})

test('what a rerun keeps gives the same options again', () => {
  for (const first of [prefer, require])
    expect(gpuOptions('montecarlo', facts, { ...rest, ...gpuOfFirst(first, facts, {}) } as never)).toEqual(first)
})
