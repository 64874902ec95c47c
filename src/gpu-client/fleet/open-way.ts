import type { GpuWorkerEntry } from '../../domain/wire/gpu.ts'
import { cogClientOver } from '../cog-client.ts'
import { clientOver } from '../http/create-worker-client.ts'
import type { WorkerTimeouts } from '../http/timeouts.ts'
import { createWorkerChannel } from '../http/worker-channel.ts'
import { readKey } from '../keys.ts'
import { readCaFile } from '../worker-entry.ts'
import type { FleetContext } from './context.ts'
import type { WorkerWay } from './worker-look.ts'

/** @returns a way to a worker that nothing else uses; the caller closes its channel. @throws WorkerFault */
export function openWay(
  name: string,
  entry: GpuWorkerEntry,
  context: FleetContext,
  timeouts: WorkerTimeouts,
): WorkerWay {
  const ca = entry.ca_file === undefined ? null : readCaFile(entry.ca_file)
  const channel = createWorkerChannel({
    url: entry.url,
    readKey: () => readKey(entry.key, context.keySources),
    ca,
    timeouts,
    clock: context.clock,
  })
  return { channel, client: clientOver(channel, name, timeouts), cog: cogClientOver(channel) }
}
