import { setTimeout as delay } from 'node:timers/promises'
import type { WireGpu } from '../domain/wire/prediction.ts'
import type { ExecutorLog } from '../workers/executor-context.ts'
import { startWorker, type WorkerOptions } from './start-worker.ts'

export { assertExposable, parseListen } from './listen-address.ts'
export { initWorker } from './setup/init-worker.ts'
export { serviceUnit } from './setup/service-unit.ts'

export interface RunOptions extends Omit<WorkerOptions, 'log'> {
  /** Aborted: it stops and returns. */
  readonly signal: AbortSignal
  /** A line for people. */
  readonly say: (line: string) => void
  /** A line about a problem. */
  readonly warn: (line: string) => void
}

/** Runs a worker until it is told to stop. @throws QueueError as startWorker */
export async function runWorker(options: RunOptions): Promise<void> {
  const { signal, say, warn } = options
  const worker = await startWorker({ ...options, log: lineLog(warn) })
  if (process.platform === 'win32' && options.keyFile !== null) {
    warn('warning: who can read the key file is not checked on Windows: keep it in a folder of your own')
  }
  say(`the worker listens on ${worker.url}${options.keyFile === null ? ', without a key: for this machine alone' : ''}`)
  say(`GPU: ${gpuLine(worker.gpus, options.allowSoftwareAdapter)}`)
  say(`job types: ${worker.jobTypes.join(', ')}; ${options.slots} at a time`)
  say(
    options.keyFile === null
      ? `next, where the queue is: nightkiln gpu add NAME ${worker.url}`
      : 'next, where the queue is: the line "nightkiln gpu add …" that nightkiln worker init printed; stop with Ctrl-C',
  )
  // A timer keeps the process alive whatever the server does.
  while (!signal.aborted) await delay(60_000, undefined, { signal }).catch(() => undefined)
  say('stopping: what runs is ended, and told as WORKER_RESTARTED with its last checkpoint')
  await worker.close()
}

function gpuLine(gpus: readonly WireGpu[], allowSoftware: boolean): string {
  if (gpus.length === 0) return 'none found (nvidia-smi, then WebGPU); handlers compute on the processor'
  return gpus
    .map(({ name, memory_total_mb: memory, driver_version: driver, software }) => {
      const facts = [
        ...(memory === null ? [] : [`${memory} MB`]),
        ...(driver === null ? [] : [`driver ${driver}`]),
        ...(software ? [allowSoftware ? 'used, as --allow-software-adapter says' : 'not a GPU, not used'] : []),
      ]
      return facts.length === 0 ? name : `${name} (${facts.join(', ')})`
    })
    .join('; ')
}

/** Never a stack. */
function lineLog(warn: (line: string) => void): ExecutorLog {
  const line = (level: string) => (details: object, message: string) => {
    const { err, ...facts } = details as { readonly err?: unknown }
    const cause = err instanceof Error ? `: ${err.message}` : err === undefined ? '' : `: ${String(err)}`
    const shown = Object.keys(facts).length === 0 ? '' : ` ${JSON.stringify(facts)}`
    warn(`${level}: ${message}${cause}${shown}`)
  }
  return { debug: () => undefined, warn: line('warning'), error: line('error') }
}
