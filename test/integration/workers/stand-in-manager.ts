// A process in the role of the manager: starts one command, says what it is told, is killed by the test or at a fault point.
import { openSync } from 'node:fs'
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
  /** It stops the command so long after its start. */
  readonly stopAfterMs: number | null
  /** It freezes the command so long after its start. */
  readonly freezeAfterMs: number | null
  /** It has no descriptor left when it starts the command. */
  readonly exhausted: boolean
}

const order = JSON.parse(process.argv[2] ?? '{}') as StandInOrder
const say = (event: object): void => void process.stdout.write(`${JSON.stringify(event)}\n`)
const ignore = (): void => undefined

const executor = createCommandExecutor({
  paths: statePaths(order.home),
  instanceId: order.instanceId,
  clock: systemClock,
  shell: order.shell,
  bootId: bootId(),
  log: { debug: ignore, warn: ignore, error: ignore },
  faultPoint: (name) => {
    if (name === order.dieAt) process.kill(process.pid, 'SIGKILL')
  },
})
if (order.exhausted) openAll()
const command = executor.start(order.task, {
  started: (runner) => {
    say({ started: runner })
    if (order.stopAfterMs !== null) setTimeout(() => command.stop('cancel'), order.stopAfterMs)
    if (order.freezeAfterMs !== null) setTimeout(() => void command.freeze(), order.freezeAfterMs)
  },
  progressed: ignore,
  ended: (end) => say({ ended: end }),
})

function openAll(): void {
  try {
    for (;;) openSync('/dev/null', 'r')
  } catch {
    // As many as the system allows.
  }
}
// Lives until it is killed, as a manager does.
setInterval(ignore, 60_000)
