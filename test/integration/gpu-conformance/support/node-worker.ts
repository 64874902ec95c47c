import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { startWorker } from '../../../../src/gpu-worker/start-worker.ts'
import type { TemporaryHome } from '../../../support/temporary-home.ts'
import type { RunningWorker } from './running-worker.ts'

/** Starts the worker of this package on a free port; it ends with the test. Its thread host runs what ships. */
export async function startNodeWorker(
  { home, environment }: TemporaryHome,
  options: { readonly slots?: number } = {},
): Promise<RunningWorker> {
  const key = randomBytes(24).toString('hex')
  const keyFile = join(home, 'worker.key')
  writeFileSync(keyFile, `${key}\n`, { mode: 0o600 })
  const silent = (): void => undefined
  const worker = await startWorker({
    home: join(home, 'worker'),
    listen: '127.0.0.1:0',
    keyFile,
    tlsCert: null,
    tlsKey: null,
    slots: options.slots ?? 1,
    commands: null,
    handlers: join(home, 'handlers'),
    allowSoftwareAdapter: false,
    environment,
    log: { debug: silent, warn: silent, error: silent },
  })
  onTestFinished(() => worker.close())
  return { url: new URL(worker.url), key, keyFile, kill: () => worker.close() }
}
