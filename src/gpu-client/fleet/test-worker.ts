import { harmlessText } from '../../domain/display-text.ts'
import { formatDuration } from '../../domain/format-duration.ts'
import type { GpuWorkerEntry, GpuWorkerTest } from '../../domain/wire/gpu.ts'
import { WorkerFault } from '../worker-client.ts'
import { addLine } from './add-line.ts'
import type { FleetContext } from './context.ts'
import { explainFault } from './explain-fault.ts'
import { openWay } from './open-way.ts'
import { discoverMode, hardwareGpus, lookAs, type WorkerLook } from './worker-look.ts'
import { shownLook } from './worker-status.ts'

/** A person waits for it. */
const longestStepMs = 12_000

export interface WorkerTest {
  readonly told: GpuWorkerTest
  /** What the worker gave: the fleet learns from it. */
  readonly outcome: WorkerLook | WorkerFault
}

type Judgement = Pick<GpuWorkerTest, 'state' | 'summary' | 'remedy'>

function gpuWords(look: WorkerLook): string {
  const gpus = hardwareGpus(look)
  if (gpus.length === 0) return 'no hardware GPU'
  return gpus
    .map((gpu) => {
      const memory = gpu.memory_total_mb === null ? [] : [`${Math.round(gpu.memory_total_mb)} MB`]
      const driver = gpu.driver_version === null ? [] : [`driver ${harmlessText(gpu.driver_version)}`]
      const facts = [...memory, ...driver].join(', ')
      return harmlessText(gpu.name) + (facts === '' ? '' : ` (${facts})`)
    })
    .join(', ')
}

function judgeLook(name: string, entry: GpuWorkerEntry, look: WorkerLook, latencyMs: number): Judgement {
  const { total, free } = look.slots
  if (look.status === 'STARTING') {
    return { state: 'busy', summary: 'The worker answered; it is still starting.', remedy: 'Test again in a minute.' }
  }
  if (look.status !== 'READY' && look.status !== 'BUSY') {
    return {
      state: 'unreachable',
      summary: `The worker answered, and says that it cannot work (${look.status}).`,
      remedy: 'Look at the output of the worker on its machine.',
    }
  }
  const computesOnGpu = look.mode === 'full' && hardwareGpus(look).length > 0
  if (!computesOnGpu && entry.allow_cpu !== true) {
    const software = look.gpus.length > 0 ? ', only a software adapter that imitates one' : ''
    return {
      state: 'no_gpu',
      summary:
        look.mode === 'cog'
          ? 'A plain Cog server answered; it does not tell whether it has a GPU.'
          : `The worker answered, but shows no hardware GPU${software}.`,
      remedy: `Check its GPU driver (nvidia-smi), or let it serve all the same, shown as "remote (cpu)": ${addLine(name, entry, '--allow-cpu')}`,
    }
  }
  if (look.mode === 'cog' && entry.cog_type === undefined) {
    return {
      state: 'wrong_protocol',
      summary: 'A plain Cog server answered; its entry does not say which job type it computes.',
      remedy: `Name it: ${addLine(name, entry, '--cog-type TYPE')}`,
    }
  }
  const what = `${gpuWords(look)}; ${free} of ${total} places free`
  if (free === 0) {
    return {
      state: 'busy',
      summary: `The worker answered; all its places are taken now: ${what}.`,
      remedy: 'Nothing: units wait for a place.',
    }
  }
  return { state: 'connected', summary: `Connected in ${formatDuration(latencyMs)}: ${what}.`, remedy: null }
}

/** Connects anew, whatever is known, and asks everything that an attempt needs. Never throws. */
export async function testWorker(name: string, entry: GpuWorkerEntry, context: FleetContext): Promise<WorkerTest> {
  const { clock, closing } = context
  const timeouts = { ...context.timeouts, totalMs: Math.min(context.timeouts.totalMs, longestStepMs) }
  let latencyMs: number | null = null
  try {
    const way = openWay(name, entry, context, timeouts)
    try {
      const began = clock.monotonic()
      const mode = await discoverMode(way, closing)
      latencyMs = clock.monotonic() - began
      const look = await lookAs(mode, way, closing)
      const judged = judgeLook(name, entry, look, latencyMs)
      const code = judged.state === 'connected' || judged.state === 'busy' ? null : judged.state.toUpperCase()
      return {
        told: { name, url: entry.url, ...judged, latency_ms: latencyMs, code, ...shownLook(look, entry) },
        outcome: look,
      }
    } finally {
      await way.channel.close()
    }
  } catch (error) {
    const fault =
      error instanceof WorkerFault ? error : new WorkerFault('protocol', 'BAD_ENTRY', (error as Error).message)
    return {
      told: {
        name,
        url: entry.url,
        ...explainFault(name, entry, fault),
        latency_ms: latencyMs,
        code: fault.code,
        ...shownLook(null, entry),
      },
      outcome: fault,
    }
  }
}
