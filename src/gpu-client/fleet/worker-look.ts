import { discovery, type HealthCheck, largestAnswerBytes } from '../../domain/wire/prediction.ts'
import type { CogClient, CogStatus } from '../cog-client.ts'
import { readJson } from '../http/create-worker-client.ts'
import { parseAs } from '../http/safe-json.ts'
import type { WorkerChannel } from '../http/worker-channel.ts'
import { type WorkerClient, WorkerFault } from '../worker-client.ts'

/** What a look at a worker found. */
export type WorkerLook =
  | ({ readonly mode: 'full' } & Omit<HealthCheck, 'protocol'>)
  | {
      readonly mode: 'cog'
      readonly status: CogStatus
      readonly version: string | null
      readonly slots: { readonly total: number; readonly free: number }
      readonly gpus: HealthCheck['gpus']
    }

/** One open way to a worker. */
export interface WorkerWay {
  readonly channel: WorkerChannel
  readonly client: WorkerClient
  readonly cog: CogClient
}

/** Asks what it is, by its discovery route. @throws WorkerFault */
export async function discoverMode(
  { channel }: WorkerWay,
  signal?: AbortSignal,
): Promise<{ readonly mode: 'full' | 'cog'; readonly cogVersion: string | null }> {
  const maxBytes = largestAnswerBytes
  return channel.call({ method: 'GET', path: '', accept: [200], maxBytes, signal }, async (answer, scrub) => {
    const found = parseAs(discovery, await readJson(answer, scrub, maxBytes))
    if (found.predictions_get_url !== undefined) return { mode: 'full', cogVersion: null }
    if (found.cog_version !== undefined && found.predictions_idempotent_url !== undefined) {
      return { mode: 'cog', cogVersion: found.cog_version }
    }
    throw new WorkerFault('protocol', 'NOT_A_WORKER', 'its first page names no predictions')
  })
}

/** Asks how it is. @throws WorkerFault */
export async function lookAs(
  found: { readonly mode: 'full' | 'cog'; readonly cogVersion: string | null },
  { client, cog }: WorkerWay,
  signal?: AbortSignal,
): Promise<WorkerLook> {
  if (found.mode === 'full') {
    const { protocol: _, ...health } = await client.health(signal)
    return { mode: 'full', ...health }
  }
  const status = await cog.status(signal)
  return {
    mode: 'cog',
    status,
    version: found.cogVersion?.slice(0, 40) ?? null,
    slots: { total: 1, free: status === 'READY' ? 1 : 0 },
    gpus: [],
  }
}

/** @returns its hardware GPUs; a software adapter is none */
export function hardwareGpus(look: WorkerLook): HealthCheck['gpus'] {
  return look.gpus.filter((gpu) => !gpu.software)
}
