import { resolve } from 'node:path'
import { QueueError } from '../domain/errors.ts'
import { type GpuWorkerEntry, gpuWorkerName, type KeyReference } from '../domain/wire/gpu.ts'
import { badOption } from './option-values.ts'

/** Options that describe a GPU worker. */
export interface WorkerOptions {
  readonly keyFile?: string
  readonly keyEnv?: string
  readonly keychain?: string
  /** A key itself: only to say that this is no option. */
  readonly key?: string
  readonly caFile?: string
  readonly allowCpu?: true
  readonly cogType?: string
}

/** @throws QueueError invalid_input for what cannot be the name of a GPU worker */
export function checkedWorkerName(name: string): string {
  if (gpuWorkerName.safeParse(name).success) return name
  throw badOption('the name', name, 'a name such as rig: 1 to 40 small letters, digits, "-" and "_"')
}

/**
 * @param cwd paths are counted from here: the manager runs elsewhere
 * @throws QueueError invalid_input naming the option; never repeats a key
 */
export function workerEntryOf(url: string, options: WorkerOptions, cwd: string): GpuWorkerEntry {
  const key = keyOf(options, cwd)
  return {
    url,
    ...(key === undefined ? {} : { key }),
    ...(options.caFile === undefined ? {} : { ca_file: resolve(cwd, options.caFile) }),
    ...(options.allowCpu === true ? { allow_cpu: true } : {}),
    ...(options.cogType === undefined ? {} : { cog_type: options.cogType }),
  }
}

function keyOf({ key, keyFile, keyEnv, keychain }: WorkerOptions, cwd: string): KeyReference | undefined {
  if (key !== undefined) {
    throw new QueueError(
      'invalid_input',
      '--key is not an option: whoever lists the processes of this machine, and the history of the shell, would show the key',
      {
        remedy:
          'Put the key alone into a file that only you can read (chmod 600) and give --key-file. This key may have been seen: let the worker make another.',
      },
    )
  }
  const given = [
    ...(keyFile === undefined ? [] : [{ option: '--key-file', key: { file: resolve(cwd, keyFile) } }]),
    ...(keyEnv === undefined ? [] : [{ option: '--key-env', key: { env: keyEnv } }]),
    ...(keychain === undefined ? [] : [{ option: '--keychain', key: { keychain: keychainOf(keychain) } }]),
  ]
  if (given.length > 1) {
    throw new QueueError('invalid_input', `${given.map(({ option }) => option).join(' and ')} were given together`, {
      remedy: 'Say once where the key is.',
    })
  }
  return given[0]?.key
}

function keychainOf(text: string): { service: string; account: string } {
  const at = text.indexOf('/')
  const [service, account] = [text.slice(0, at), text.slice(at + 1)]
  if (at > 0 && account !== '') return { service, account }
  throw badOption('--keychain', text, 'SERVICE/ACCOUNT, such as nightkiln/rig')
}
