// A process in the role of the manager: starts attempts, says their fences, and is killed by the test.
import { statePaths } from '../../../src/config/paths.ts'
import { systemClock } from '../../../src/domain/clock.ts'
import type { Json } from '../../../src/domain/job.ts'
import type { HandlerJob } from '../../../src/domain/ports/thread-executor.ts'
import { bootId } from '../../../src/platform/process-identity.ts'
import { createThreadExecutor } from '../../../src/workers/threads/thread-executor.ts'

interface Order {
  readonly home: string
  readonly instanceId: string
  readonly units: readonly Json[]
  readonly job: HandlerJob
}

const order = JSON.parse(process.argv[2] ?? '{}') as Order
const ignore = (): void => undefined

const executor = createThreadExecutor({
  paths: statePaths(order.home),
  instanceId: order.instanceId,
  bootId: `${bootId()}.${order.instanceId}`,
  version: '1.2.3',
  epoch: 0,
  clock: systemClock,
  settings: { threads: 2, memoryBytes: 2 ** 30, terminateMs: 200, unclaimedMs: 60_000 },
  environment: { PATH: process.env['PATH'] ?? '/usr/bin:/bin' },
  log: { debug: ignore, warn: ignore, error: ignore },
})
await executor.open()
executor.adopted()
const fences = order.units.map((_, at) => ({ unitId: `unit-${at}`, attempt: 1, nonce: 'abcdef', workerId: 'worker' }))
executor.start(
  order.job,
  order.units.map((unit, position) => ({
    task: {
      fence: fences[position] as (typeof fences)[0],
      unit,
      position,
      checkpoint: undefined,
      resultsFile: null,
      compute: 'cpu',
      alone: false,
    },
    observer: { started: ignore, progressed: ignore, ended: ignore },
  })),
)
process.stdout.write(JSON.stringify(fences))
// Lives until it is killed, as a manager does.
setInterval(ignore, 60_000)
