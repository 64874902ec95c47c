import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { onTestFinished } from 'vitest'
import { distMain } from '../../support/repository.ts'
import type { TemporaryHome } from '../../support/temporary-home.ts'
import { waitUntil } from '../../support/wait-until.ts'
import { type Asking, speakTo } from './worker-harness.ts'

export interface WorkerProcess extends Asking {
  readonly child: ChildProcess
  readonly url: string
  readonly output: () => string
  /** Signals it and waits for its end. @returns its exit code, or the signal */
  end(signal: NodeJS.Signals): Promise<number | NodeJS.Signals | null>
}

/** Starts `nightkiln worker` as people do; killed with the test. */
export async function startProcess(home: TemporaryHome, args: readonly string[] = []): Promise<WorkerProcess> {
  const child = spawn(process.execPath, [distMain, 'worker', '--listen', '127.0.0.1:0', ...args], {
    env: home.environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  const gone = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>
  onTestFinished(() => void child.kill('SIGKILL'))
  // The last of its first lines.
  const url = await waitUntil(() => /^next, .*\n/m.test(output) && /listens on ([^\s,]+)/.exec(output)?.[1], {
    what: 'a worker that listens',
  }).catch((error: unknown) => {
    throw new Error(`${(error as Error).message}; it said: ${output}`)
  })
  return {
    ...speakTo(url),
    child,
    url,
    output: () => output,
    async end(signal) {
      child.kill(signal)
      const [code, by] = await gone
      return code ?? by
    },
  }
}
