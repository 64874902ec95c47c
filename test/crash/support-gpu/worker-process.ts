import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import { pidsOfHome } from '../../support/proc.ts'
import { distMain } from '../../support/repository.ts'
import { makeTemporaryHome } from '../../support/temporary-home.ts'
import { waitUntil } from '../../support/wait-until.ts'
import type { HandlerHome } from '../support-handlers/handler-home.ts'

/** A real GPU worker: its own process, state directory, key and port, which stay the same when it is started again. */
export interface WorkerProcess {
  readonly url: string
  readonly keyFile: string
  readonly key: string
  readonly log: string
  /** Returns when it answers. */
  start(): Promise<number>
  /** SIGSTOP and SIGCONT are for its thread hosts too; with others it returns when its process is gone. */
  signal(signal: NodeJS.Signals): Promise<void>
  stop(): Promise<void>
}

export interface WorkerProcessOptions {
  readonly slots?: number
  /** Directory of job types that it serves beside the built-in ones. */
  readonly handlers?: string
  readonly flags?: readonly string[]
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}

export async function useWorkerProcess(options: WorkerProcessOptions = {}): Promise<WorkerProcess> {
  const own = makeTemporaryHome()
  onTestFinished(() => own.remove())
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const keyFile = join(own.home, 'worker.key')
  const key = randomBytes(24).toString('hex')
  writeFileSync(keyFile, `${key}\n`, { mode: 0o600 })
  const logFile = join(own.home, 'worker.log')
  let child: ChildProcess | null = null

  const answers = async (): Promise<boolean> => {
    try {
      const answer = await fetch(`${url}/health-check`, { headers: { authorization: `Bearer ${key}` } })
      return answer.ok && ((await answer.json()) as { status?: string }).status !== 'STARTING'
    } catch {
      return false
    }
  }
  const worker: WorkerProcess = {
    url,
    keyFile,
    key,
    get log() {
      return existsSync(logFile) ? readFileSync(logFile, 'utf8') : ''
    },
    async start() {
      const handlers = options.handlers === undefined ? [] : ['--handlers', options.handlers]
      const flags = ['--listen', `127.0.0.1:${port}`, '--key-file', keyFile, '--slots', String(options.slots ?? 1)]
      const script = `exec "$0" "$@" >>'${logFile}' 2>&1`
      const started = spawn(
        '/bin/sh',
        ['-c', script, process.execPath, distMain, 'worker', ...flags, ...handlers, ...(options.flags ?? [])],
        { env: own.environment, cwd: own.home, detached: true, stdio: 'ignore' },
      )
      started.unref()
      own.ledger.add(started.pid)
      child = started
      await waitUntil(
        () => {
          if (started.exitCode !== null) throw new Error(`the worker ended with ${started.exitCode}: ${worker.log}`)
          return answers()
        },
        { timeoutMs: 30_000, what: `the worker at ${url}` },
      )
      return started.pid ?? 0
    },
    async signal(signal) {
      const { pid } = child ?? {}
      if (pid === undefined) throw new Error('the worker was not started')
      if (signal === 'SIGSTOP' || signal === 'SIGCONT') {
        // As a machine that sleeps: its thread hosts too.
        for (const each of pidsOfHome(own.home)) process.kill(each, signal)
        return
      }
      process.kill(pid, signal)
      await waitUntil(() => child?.exitCode !== null || child.signalCode !== null, { what: 'the worker to be gone' })
      // A machine that dies takes everything with it.
      if (signal === 'SIGKILL') await own.ledger.killAll()
    },
    stop: async () => {
      if (child?.exitCode === null && child.signalCode === null) await worker.signal('SIGTERM')
    },
  }
  return worker
}

/** Names workers in the configuration of a state directory, as `nightkiln gpu add` does. */
export function configureWorkers(
  home: HandlerHome,
  workers: Readonly<Record<string, Pick<WorkerProcess, 'url' | 'keyFile'>>>,
): void {
  mkdirSync(dirname(home.paths.gpuWorkers), { recursive: true, mode: 0o700 })
  const entries = Object.entries(workers).map(([name, { url, keyFile }]) => [
    name,
    { url, key: { file: keyFile }, allow_cpu: true },
  ])
  writeFileSync(home.paths.gpuWorkers, JSON.stringify({ workers: Object.fromEntries(entries) }), { mode: 0o600 })
}
