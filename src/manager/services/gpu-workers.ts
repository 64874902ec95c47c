import { setTimeout as delay } from 'node:timers/promises'
import { statePaths } from '../../config/paths.ts'
import { QueueError } from '../../domain/errors.ts'
import type { GpuFleet } from '../../domain/ports/remote-executor.ts'
import type { GpuWorkerEntry, GpuWorkerStatus, GpuWorkerTest } from '../../domain/wire/gpu.ts'
import type { OperationAnswer, OperationCall } from '../../domain/wire/operations.ts'
import type { ServiceContext } from './service-context.ts'

type Context = Pick<ServiceContext, 'fleet' | 'facts'>

/** What asks the workers is loaded at its first use; so long its answer is waited for, ms. */
const loadingMs = 3_000
const lookMs = 20

/**
 * Keeps a GPU worker. Its entry is checked, the worker itself is not asked: that is `test_gpu`.
 * @throws QueueError invalid_input for a name that is taken or an entry that cannot be used
 */
export async function addGpuWorker(
  context: Context,
  request: OperationCall<'add_gpu_worker'>,
): Promise<OperationAnswer<'add_gpu_worker'>> {
  const { name, worker, replace } = request
  const known = (await gpuWorkers(context.fleet)).some((one) => one.name === name)
  if (known && !replace) {
    throw new QueueError('invalid_input', `there is a GPU worker "${name}" already`, {
      remedy: 'Give another name, or replace: true.',
    })
  }
  await context.fleet.add(name, worker)
  return {
    name,
    replaced: known,
    notes: notesOf(worker),
    next: `test_gpu ${JSON.stringify({ name })} connects to it and says what it has.`,
  }
}

function notesOf({ key, allow_cpu: allowCpu, cog_type: cogType }: GpuWorkerEntry): string[] {
  return [
    ...(key !== undefined && 'env' in key
      ? [
          `Its key is read from the variable ${key.env} of the manager's environment. A manager that is restarted, by another program or after a crash, may lack it; a file that only you can read (0600) does not get lost.`,
        ]
      : []),
    ...(allowCpu === true ? ['It serves without a GPU, too: its attempts are shown as "remote (cpu)".'] : []),
    ...(cogType === undefined
      ? []
      : [`It is a plain Cog server: it computes "${cogType}", only while the manager stays connected.`]),
  ]
}

/** @throws QueueError invalid_input when there is no such worker */
export async function removeGpuWorker(
  { fleet }: Context,
  { name }: OperationCall<'remove_gpu_worker'>,
): Promise<OperationAnswer<'remove_gpu_worker'>> {
  const running = (await gpuWorkers(fleet)).find((worker) => worker.name === name)?.running ?? 0
  await fleet.remove(name)
  const left = running === 0 ? '' : ` ${running} of its attempts did not end yet: they go elsewhere, or fall back.`
  return { name, next: `It gets no more attempts.${left} list_gpu_workers shows the others.` }
}

export async function listGpuWorkers({ fleet, facts }: Context): Promise<OperationAnswer<'list_gpu_workers'>> {
  const workers = await gpuWorkers(fleet)
  // Some are meant to be there: a test says why they cannot be read.
  if (workers.length === 0 && fleet.isConfigured()) await fleet.test(null)
  return {
    workers,
    file: statePaths(facts.home).gpuWorkers,
    next: nextOf(workers) ?? 'test_gpu connects to each and says what it has.',
  }
}

/**
 * Connects to one worker or all of them; takes some seconds when one does not answer.
 * @throws QueueError invalid_input when there is no such worker
 */
export async function testGpu(
  { fleet }: Pick<Context, 'fleet'>,
  { name }: OperationCall<'test_gpu'>,
): Promise<OperationAnswer<'test_gpu'>> {
  const tests = [...(await fleet.test(name ?? null))]
  if (tests.length === 0) return { tests, next: noWorker }
  const bad = tests.filter((test) => !isUsable(test))
  const next =
    bad.length === 0
      ? 'Jobs with gpu: "prefer" or "require" run there.'
      : `${bad.length} of ${tests.length} cannot be used now; their remedy says what to do.`
  return { tests, next }
}

const noWorker = 'No GPU worker is configured; nightkiln gpu add adds one.'

/** True when jobs can run there, at once or soon. */
function isUsable({ state }: Pick<GpuWorkerTest, 'state'>): boolean {
  return state === 'connected' || state === 'busy'
}

/** @returns every worker as it was last seen */
export async function gpuWorkers(fleet: GpuFleet): Promise<GpuWorkerStatus[]> {
  for (let waited = 0; waited < loadingMs; waited += lookMs) {
    const workers = fleet.status()
    if (workers.length > 0 || !fleet.isConfigured()) return [...workers]
    await delay(lookMs)
  }
  return [...fleet.status()]
}

/** @returns what to do about the workers; null: nothing */
export function nextOf(workers: readonly GpuWorkerStatus[]): string | null {
  if (workers.length === 0) return noWorker
  return workers.some(({ problem }) => problem !== null)
    ? 'A GPU worker has a problem: queue_status {"test_gpu":true} (nightkiln gpu test) says what to do.'
    : null
}
