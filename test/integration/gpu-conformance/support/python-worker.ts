import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { repositoryRoot } from '../../../support/repository.ts'
import { environmentFor } from '../../../support/temporary-home.ts'
import type { RunningWorker } from './running-worker.ts'

const program = join(repositoryRoot, 'examples', 'python-worker', 'worker.py')

/** The interpreter, or null: the machine has none that is new enough. */
export const python =
  ['python3', 'python'].find(
    (name) =>
      spawnSync(name, ['-c', 'import sys; sys.exit(sys.version_info < (3, 9))'], { stdio: 'ignore' }).status === 0,
  ) ?? null

/** Starts the Python example on a free port; it ends with the test, or before by `kill`. */
export async function startPythonWorker(
  directory: string,
  options: {
    readonly slots?: number
    readonly key?: string
    readonly extra?: readonly string[]
    readonly environment?: Readonly<Record<string, string>>
  } = {},
): Promise<RunningWorker> {
  if (python === null) throw new Error('no Python 3.9 or newer on this machine')
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const key = options.key ?? randomBytes(24).toString('hex')
  const keyFile = join(directory, 'key')
  writeFileSync(keyFile, `${key}\n`, { mode: 0o600 })
  const settings = ['--key-file', keyFile, '--state', join(directory, 'state'), '--slots', String(options.slots ?? 1)]
  const child = spawn(python, [program, '--listen', '127.0.0.1:0', ...settings, ...(options.extra ?? [])], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...environmentFor(directory, options.environment), PYTHONDONTWRITEBYTECODE: '1' },
  })
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const kill = async (signal: NodeJS.Signals = 'SIGKILL'): Promise<void> => {
    child.kill(signal)
    await exited
  }
  onTestFinished(() => kill())
  const url = await new Promise<string>((resolve, reject) => {
    let told = ''
    const hear = (piece: Buffer): void => {
      told += piece.toString('utf8')
      const found = /^listening on (\S+)$/m.exec(told)
      if (found?.[1] !== undefined) resolve(found[1])
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    void exited.then(() => reject(new Error(`the Python worker ended:\n${told}`)))
  })
  return { url: new URL(url), key, keyFile, kill }
}
