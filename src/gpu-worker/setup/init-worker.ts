import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs'
import { isIP } from 'node:net'
import { hostname, networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { generate } from 'selfsigned'
import { QueueError } from '../../domain/errors.ts'
import { makeDirectory } from '../../platform/make-directory.ts'

export interface InitOptions {
  /** Absolute. */
  readonly directory: string
  readonly tls: boolean
  /** More names or addresses under which clients reach this machine. */
  readonly hosts: readonly string[]
  /** Wall ms. */
  readonly now: number
}

export interface InitResult {
  readonly keyFile: string
  readonly certFile: string | null
  readonly certKeyFile: string | null
  /** Names and addresses that the certificate is for. */
  readonly hosts: readonly string[]
}

const validMs = 825 * 24 * 3_600_000
const dayMs = 24 * 3_600_000

/**
 * Makes the files that a worker needs: a key and, with TLS, a certificate of its own and the key of that. Each is for this user
 * alone; none is ever replaced.
 * @throws QueueError invalid_input when one of them is there already
 */
export async function initWorker({ directory, tls, hosts, now }: InitOptions): Promise<InitResult> {
  makeDirectory(directory)
  const names = [...new Set([...hosts, ...ownNames()])]
  const keyFile = join(directory, 'worker.key')
  writeNew(keyFile, `${randomBytes(32).toString('base64url')}\n`)
  if (!tls) return { keyFile, certFile: null, certKeyFile: null, hosts: names }
  const certFile = join(directory, 'worker-cert.pem')
  const certKeyFile = join(directory, 'worker-cert.key')
  const made = await generate([{ name: 'commonName', value: (names[0] ?? 'nightkiln worker').slice(0, 64) }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    // A clock that is a little behind must not refuse it.
    notBeforeDate: new Date(now - dayMs),
    notAfterDate: new Date(now + validMs),
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: names.map((name) =>
          isIP(name) === 0 ? { type: 2 as const, value: name } : { type: 7 as const, ip: name },
        ),
      },
    ],
  })
  writeNew(certKeyFile, made.private)
  writeNew(certFile, made.cert)
  return { keyFile, certFile, certKeyFile, hosts: names }
}

/** Under which this machine may be reached; link-local addresses need a zone and are left out. */
function ownNames(): readonly string[] {
  const addresses = Object.values(networkInterfaces())
    .flatMap((each) => each ?? [])
    .map(({ address }) => address)
    .filter((address) => !address.startsWith('fe80:') && !address.includes('%'))
  return [hostname(), 'localhost', ...addresses].filter((name) => name !== '')
}

function writeNew(file: string, text: string): void {
  let descriptor: number
  try {
    descriptor = openSync(file, 'wx', 0o600)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
      throw new QueueError('config_invalid', `${file} cannot be made: ${(error as Error).message}`)
    }
    throw new QueueError('invalid_input', `${file} is there already, and is not replaced`, {
      remedy: 'Use it as it is, remove it first, or choose another folder with --directory.',
    })
  }
  try {
    writeSync(descriptor, text)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
