import { existsSync } from 'node:fs'
import { QueueError } from '../../domain/errors.ts'
import type { GpuWorkerTest } from '../../domain/wire/gpu.ts'
import type { QueueStatusAnswer } from '../../domain/wire/jobs.ts'
import { forCommandLine } from '../display/for-command-line.ts'
import { isUsable } from '../display/gpu-workers.ts'
import type { Session } from '../session.ts'
import { type Check, checkNamed } from './check.ts'

/** Workers that do not answer take the most time. */
const answerTimeoutMs = 35_000

/** The GPU workers, when there are any: each is connected to. The manager holds what is needed for that, so one must run. */
export async function checkGpuWorkers(session: Session, status: QueueStatusAnswer | null): Promise<Check> {
  const check = checkNamed('gpu_workers', 'GPU workers')
  const file = session.paths().gpuWorkers
  if (!existsSync(file)) return check.ok('none configured; nightkiln gpu add adds one')
  if (status === null)
    return check.warning(`${file}: not tested, since no manager answers`, 'Run nightkiln gpu test: it starts one.')
  const signal = AbortSignal.any([session.interrupted, AbortSignal.timeout(answerTimeoutMs)])
  try {
    return judged((await session.visitor().call('test_gpu', {}, { signal })).tests)
  } catch (error) {
    if (session.interrupted.aborted || !signal.aborted) throw error
    throw new QueueError('gpu_unavailable', `the test gave no answer within ${answerTimeoutMs / 1000} s`)
  }
}

/** @returns what the tests of all workers come to. */
export function judged(tests: readonly GpuWorkerTest[]): Check {
  const check = checkNamed('gpu_workers', 'GPU workers')
  if (tests.length === 0) return check.ok('none configured; nightkiln gpu add adds one')
  const bad = tests.filter((test) => !isUsable(test))
  const text = [...bad, ...tests.filter(isUsable)].map(textOf).join('; ')
  const [first] = bad
  if (first === undefined) return check.ok(text)
  return check.problem(
    text,
    first.remedy ?? forCommandLine(`test_gpu ${JSON.stringify({ name: first.name })} says more.`),
  )
}

function textOf(test: GpuWorkerTest): string {
  if (!isUsable(test)) return `${test.name}: ${test.summary.replace(/\.$/, '')}`
  const gpus = test.gpus.map(({ name }) => name).join(', ')
  const free = test.slots === null ? '' : `, ${test.slots.free} of ${test.slots.total} slots free`
  return `${test.name}: ${gpus === '' ? 'reachable' : gpus}${free}`
}
