import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished } from 'vitest'
import type { RunnerIdentity } from '../../../src/domain/job.ts'
import type { AttemptEnd } from '../../../src/domain/ports/attempt.ts'
import type { CommandTask } from '../../../src/domain/ports/executor.ts'
import { waitUntil } from '../../support/wait-until.ts'
import { type Harness, instanceId } from './executor-harness.ts'
import type { StandInOrder } from './stand-in-manager.ts'

const script = fileURLToPath(new URL('./stand-in-manager.ts', import.meta.url))

export interface StandIn {
  readonly process: ChildProcess
  text(): string
  kill(): Promise<void>
  /** @returns when it has died at its fault point */
  death(): Promise<void>
  runner(): Promise<RunnerIdentity>
  end(timeoutMs: number): Promise<AttemptEnd>
}

/** Starts a command under a manager of its own, a process that can be killed and measured. */
export function startUnder(harness: Harness, task: CommandTask, more: Partial<StandInOrder> = {}): StandIn {
  const order: StandInOrder = {
    home: harness.home,
    instanceId,
    task,
    shell: '/bin/sh',
    dieAt: null,
    stopAfterMs: null,
    freezeAfterMs: null,
    exhausted: false,
    ...more,
  }
  const child = spawn(process.execPath, ['--import', 'tsx', script, JSON.stringify(order)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  const closed = once(child, 'close')
  onTestFinished(() => void child.kill('SIGKILL'))
  const told = (): { started?: RunnerIdentity; ended?: AttemptEnd } =>
    Object.assign(
      {},
      ...text
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as object),
    )
  return {
    process: child,
    text: () => text,
    async kill() {
      child.kill('SIGKILL')
      await closed
    },
    async death() {
      await closed
      expect(child.signalCode).toBe('SIGKILL')
    },
    runner: () => waitUntil(() => told().started, { what: 'the runner of the stand-in' }),
    end: (timeoutMs) => waitUntil(() => told().ended, { timeoutMs, what: 'the end told by the stand-in' }),
  }
}
