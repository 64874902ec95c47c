// A process in the role of the manager: starts one command, says what it is told, is killed by the test or at a fault point.
import { statePaths } from '../../../src/config/paths.ts'
import { systemClock } from '../../../src/domain/clock.ts'
import type { CommandTask } from '../../../src/domain/ports/executor.ts'
import { bootId } from '../../../src/platform/process-identity.ts'
import { createCommandExecutor } from '../../../src/workers/command-executor.ts'

export interface StandInOrder {
  readonly home: string
  readonly instanceId: string
  readonly task: CommandTask
  readonly shell: string
  /** Name of the fault point at which it dies by SIGKILL. */
  readonly dieAt: string | null
  /** File whose appearance makes it stop the command. */
  readonly stopAfterMs: number | null
}

const order = JSON.parse(process.argv[2] ?? '{}') as StandInOrder
const say = (event: object): void => void process.stdout.write(`${JSON.stringify(event)}\n`)
const ignore = (): void => undefined

const executor = createCommandExecutor({
  paths: statePaths(order.home, { NIGHTKILN_HOME: order.home }),
  instanceId: order.instanceId,
  clock: systemClock,
  shell: order.shell,
  bootId: bootId(),
  log: { debug: ignore, warn: ignore, error: ignore },
  faultPoint: (name) => {
    if (name === order.dieAt) process.kill(process.pid, 'SIGKILL')
  },
})
const command = executor.start(order.task, {
  started: (runner) => {
    say({ started: runner })
    if (order.stopAfterMs !== null) setTimeout(() => command.stop('cancel'), order.stopAfterMs)
  },
  progressed: ignore,
  ended: (end) => say({ ended: end }),
})
// Lives until it is killed, as a manager does.
setInterval(ignore, 60_000)
