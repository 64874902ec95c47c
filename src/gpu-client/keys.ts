import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { isAbsolute } from 'node:path'
import type { KeyReference } from '../domain/wire/gpu.ts'
import { readKeychain } from './keychain.ts'
import { WorkerFault } from './worker-client.ts'

const largestKeyBytes = 4 * 1024
/** A FIFO in its place must not block, a link not lead elsewhere. */
const cautious = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0)

/** How a key is read; replaced in tests. */
export interface KeySources {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly keychain: (service: string, account: string) => Promise<string>
}

export const systemKeySources: KeySources = { environment: process.env, keychain: readKeychain }

function missing(code: string, message: string): WorkerFault {
  return new WorkerFault('key_missing', code, message)
}

/** A header takes no more than this; a line break would begin another header. */
function checkKey(text: string, place: string): string {
  const key = text.replace(/\r?\n$/, '')
  if (key === '') throw missing('KEY_EMPTY', `${place} is empty`)
  if (key.length > largestKeyBytes) throw missing('KEY_TOO_LARGE', `${place} is larger than ${largestKeyBytes} bytes`)
  if (!/^[\x21-\x7e]+$/.test(key)) {
    throw missing('KEY_NOT_ONE_LINE', `${place} must hold one line of printable ASCII without blanks`)
  }
  return key
}

const fileErrors: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EACCES: 'may not be read by this user',
  EPERM: 'may not be read by this user',
  ELOOP: 'is a symbolic link',
  EMLINK: 'is a symbolic link',
}

async function readKeyFile(file: string): Promise<string> {
  const place = `the key file ${file}`
  const refuse = (code: string, what: string): WorkerFault => missing(code, `${place} ${what}`)
  if (!isAbsolute(file)) throw refuse('KEY_PATH', 'is not an absolute path')
  const handle = await open(file, cautious).catch((error: NodeJS.ErrnoException) => {
    throw refuse(error.code ?? 'KEY_UNREADABLE', fileErrors[error.code ?? ''] ?? 'cannot be opened')
  })
  try {
    const facts = await handle.stat()
    if (!facts.isFile()) throw refuse('KEY_NOT_A_FILE', 'is not a regular file')
    // Windows has no such bits; the folders of a user are closed to others there.
    if (process.platform !== 'win32') {
      if (facts.uid !== process.getuid?.()) throw refuse('KEY_OWNER', 'belongs to another user')
      if ((facts.mode & 0o077) !== 0) {
        throw refuse('KEY_MODE', `may be read by others (${(facts.mode & 0o777).toString(8)}); run: chmod 600 ${file}`)
      }
    }
    if (facts.size > largestKeyBytes) throw refuse('KEY_TOO_LARGE', `is larger than ${largestKeyBytes} bytes`)
    const bytes = Buffer.alloc(largestKeyBytes + 1)
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0)
    return checkKey(bytes.toString('latin1', 0, bytesRead), place)
  } finally {
    await handle.close()
  }
}

/**
 * Reads a key where it is kept, anew at each use: nothing holds it any longer than a request takes.
 * @returns null when the worker wants none
 * @throws WorkerFault key_missing; its message names the place, never what is there
 */
export async function readKey(
  reference: KeyReference | undefined,
  sources: KeySources = systemKeySources,
): Promise<string | null> {
  if (reference === undefined) return null
  if ('file' in reference) return readKeyFile(reference.file)
  if ('env' in reference) {
    const value = sources.environment[reference.env]
    if (value === undefined || value === '') {
      throw missing(
        'KEY_NOT_SET',
        `the environment variable ${reference.env} is not set for the manager, which may have been started elsewhere`,
      )
    }
    return checkKey(value, `the environment variable ${reference.env}`)
  }
  const { service, account } = reference.keychain
  return checkKey(await sources.keychain(service, account), `the keychain entry ${service}/${account}`)
}
