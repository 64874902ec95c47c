import { expect } from 'vitest'
import type { AttemptEnd } from '../../../src/domain/ports/attempt.ts'
import type { RemoteTask } from '../../../src/domain/ports/remote-executor.ts'
import { type AttemptHarness, canaryKey } from './attempt-harness.ts'
import type { WorkerStandIn } from './worker-stand-in.ts'

/** Ms on the clock of the attempt: lease and margin. */
export const leaseAndMargin = 65_000

export interface ExpectedEnd {
  /** The end that is told. */
  readonly end: Readonly<Record<string, unknown>>
  /** Runs that began at the server. */
  readonly runs: number
  /** Ms from the start to the end on the clock of the attempt, from and to. */
  readonly within: readonly [number, number]
  /** Code of what really went wrong, in the record of the error. */
  readonly gpuError?: string | RegExp
  readonly puts?: number
}

const mostMemory = 64 * 1024 * 1024

/** One attempt against a bad worker: its end, and what must be true whatever the worker does. */
export async function checkFault(
  { worker, attempts }: { readonly worker: WorkerStandIn; readonly attempts: AttemptHarness },
  expected: ExpectedEnd,
  task: Partial<RemoteTask> = {},
): Promise<AttemptEnd> {
  const began = attempts.clock.monotonic()
  const memory = usedMemory()
  const end = await attempts.start(task).ended
  const took = attempts.clock.monotonic() - began

  expect(end).toMatchObject(expected.end)
  expect(worker.runs, 'runs that began at the server').toHaveLength(expected.runs)
  expect(took, 'ms on the clock of the attempt').toBeGreaterThanOrEqual(expected.within[0])
  expect(took, 'ms on the clock of the attempt').toBeLessThanOrEqual(expected.within[1])
  if (expected.puts !== undefined)
    expect(worker.requests.filter(({ route }) => route === 'put')).toHaveLength(expected.puts)
  if (expected.gpuError !== undefined) {
    if (!('error' in end)) throw new Error(`an end of kind ${end.kind} shows no reason`)
    const code = String(end.error.details?.['gpu_error'])
    if (typeof expected.gpuError === 'string') expect(code).toBe(expected.gpuError)
    else expect(code).toMatch(expected.gpuError)
    expect(end.error.details).toMatchObject({ worker: 'rig' })
    expect(end.error.message).not.toBe('')
  }
  if (end.kind === 'returned') {
    expect(end.error.code).toBe('gpu_unavailable')
    expect(end.error.message).toContain('rig')
    if (task.fallback !== 'immediate') expectNothingRuns(worker, attempts)
  }
  expect(new Set(worker.runs.map(({ id }) => id)).size, 'no id ran twice').toBe(worker.runs.length)
  expect(attempts.told.ends, 'told once').toHaveLength(1)
  expect(attempts.told.held, 'its place is given back').toBe(0)
  expect(usedMemory() - memory, 'bytes of memory').toBeLessThan(mostMemory)
  expect(attempts.everything().includes(canaryKey), 'the key is in what was told, logged or written').toBe(false)
  return end
}

/** What goes on elsewhere may begin now: no run of this attempt can still have an effect over there. */
function expectNothingRuns({ runs }: WorkerStandIn, { clock }: AttemptHarness): void {
  const alive = runs.filter(
    ({ status, leaseUntil }) =>
      (status === 'processing' || status === 'starting') && (leaseUntil === null || leaseUntil >= clock.monotonic()),
  )
  expect(alive, 'runs with a lease when the attempt was returned').toEqual([])
}

function usedMemory(): number {
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
