import { QueueError } from '../../src/domain/errors.ts'
import type { GpuFleet, GpuNeed, GpuOutlook } from '../../src/domain/ports/remote-executor.ts'
import type { GpuWorkerEntry, GpuWorkerStatus, GpuWorkerTest } from '../../src/domain/wire/gpu.ts'

const h200 = {
  name: 'NVIDIA H200',
  memory_total_mb: 143_771,
  memory_used_mb: 2_048,
  driver_version: '570.86.10',
  software: false,
}

/** A worker that is there, with both of its slots free. */
export function gpuWorkerStatus(changes: Partial<GpuWorkerStatus> = {}): GpuWorkerStatus {
  return {
    name: 'rig',
    url: 'https://rig.local:7801',
    mode: 'full',
    reachable: true,
    gpus: [h200],
    slots: { total: 2, free: 2 },
    job_types: ['montecarlo'],
    version: '0.1.0',
    running: 0,
    breaker: 'closed',
    breaker_until: null,
    problem: null,
    looked_at: '2030-01-01T00:00:00.000Z',
    ...changes,
  }
}

/** A test of that worker that went well. */
export function gpuWorkerTest(changes: Partial<GpuWorkerTest> = {}): GpuWorkerTest {
  return {
    name: 'rig',
    url: 'https://rig.local:7801',
    state: 'connected',
    summary: 'It is ready: NVIDIA H200, 2 of 2 slots are free.',
    remedy: null,
    latency_ms: 12.4,
    code: null,
    mode: 'full',
    gpus: [h200],
    slots: { total: 2, free: 2 },
    job_types: ['montecarlo'],
    version: '0.1.0',
    ...changes,
  }
}

/** The GPU workers as a test wants them; remembers what it was asked. */
export class FakeGpuFleet implements GpuFleet {
  workers: GpuWorkerStatus[]
  outlook: GpuOutlook = { kind: 'ready' }
  tests: GpuWorkerTest[] = []
  readonly asked: GpuNeed[] = []
  readonly entries = new Map<string, GpuWorkerEntry>()
  /** So many calls of `status` find nothing yet, as while what asks the workers is loaded. */
  callsUntilLoaded = 0

  constructor(workers: readonly GpuWorkerStatus[] = []) {
    this.workers = [...workers]
  }

  isConfigured(): boolean {
    return this.workers.length > 0
  }

  placesFor(): number {
    return this.outlook.kind === 'ready' ? 1 : 0
  }

  outlookOf(need: GpuNeed): GpuOutlook {
    this.asked.push(need)
    return this.outlook
  }

  want(): void {}

  onChange(): void {}

  status(): readonly GpuWorkerStatus[] {
    if (this.callsUntilLoaded === 0) return this.workers
    this.callsUntilLoaded -= 1
    return []
  }

  async test(name: string | null): Promise<readonly GpuWorkerTest[]> {
    return this.tests.filter((test) => name === null || test.name === name)
  }

  async add(name: string, entry: GpuWorkerEntry): Promise<void> {
    this.entries.set(name, entry)
    this.workers = [...this.workers.filter((one) => one.name !== name), gpuWorkerStatus({ name, url: entry.url })]
  }

  async remove(name: string): Promise<void> {
    if (!this.workers.some((one) => one.name === name))
      throw new QueueError('invalid_input', `there is no GPU worker "${name}"`)
    this.workers = this.workers.filter((one) => one.name !== name)
  }

  async close(): Promise<void> {}
}
