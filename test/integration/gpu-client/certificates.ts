import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generate } from 'selfsigned'
import { onTestFinished } from 'vitest'

export interface Certificate {
  readonly key: string
  readonly cert: string
}

const day = 86_400_000

/** A self-signed certificate for a host name, or for 127.0.0.1. */
export async function makeCertificate(
  options: { readonly host?: string; readonly expired?: boolean } = {},
): Promise<Certificate> {
  const { host, expired = false } = options
  const made = await generate([{ name: 'commonName', value: host ?? '127.0.0.1' }], {
    algorithm: 'sha256',
    keyType: 'ec',
    notBeforeDate: new Date(Date.now() - 10 * day),
    notAfterDate: new Date(Date.now() + (expired ? -1 : 1) * day),
    extensions: [
      { name: 'basicConstraints', cA: true },
      {
        name: 'subjectAltName',
        altNames: [host === undefined ? { type: 7, ip: '127.0.0.1' } : { type: 2, value: host }],
      },
    ],
  })
  return { key: made.private, cert: made.cert }
}

/** @returns a directory that goes with the running test */
export function useDirectory(): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'nk-gpu-')))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** @returns a file with such a text and mode, in a directory of its own */
export function fileWith(text: string, mode = 0o600): string {
  const file = join(useDirectory(), 'file')
  writeFileSync(file, text, { mode })
  return file
}
