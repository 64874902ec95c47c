import { X509Certificate } from 'node:crypto'
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import { QueueError } from '../domain/errors.ts'
import { type GpuWorkerEntry, gpuWorkerEntry, gpuWorkerName } from '../domain/wire/gpu.ts'
import { invalidInput } from '../domain/wire/invalid-input.ts'
import { type KeySources, readKey } from './keys.ts'
import { WorkerFault } from './worker-client.ts'
import { parseWorkerUrl } from './worker-url.ts'

const largestCaBytes = 1024 * 1024

/**
 * @returns the certificates of a ca_file, PEM
 * @throws WorkerFault tls CA_FILE when it cannot be read or holds none
 */
export function readCaFile(file: string): string {
  const refuse = (what: string): WorkerFault =>
    new WorkerFault('tls', 'CA_FILE', `the certificate file ${file} ${what}`)
  let descriptor: number
  try {
    descriptor = openSync(file, 'r')
  } catch (error) {
    throw refuse(`cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`)
  }
  try {
    const facts = fstatSync(descriptor)
    if (!facts.isFile() || facts.size > largestCaBytes) throw refuse('is not a file of certificates')
    const text = readFileSync(descriptor, 'latin1')
    new X509Certificate(text)
    return text
  } catch (error) {
    throw error instanceof WorkerFault ? error : refuse('holds no certificate (PEM)')
  } finally {
    closeSync(descriptor)
  }
}

/**
 * Looks at an entry before it is kept: everything that can be known without asking the worker.
 * @throws QueueError invalid_input; says what is wrong and what to do
 */
export async function checkEntry(name: string, entry: GpuWorkerEntry, sources: KeySources): Promise<GpuWorkerEntry> {
  const checkedName = gpuWorkerName.safeParse(name)
  if (!checkedName.success)
    throw invalidInput(checkedName.error, { schema: gpuWorkerName, value: name, prefix: 'name' })
  const parsed = gpuWorkerEntry.safeParse(entry)
  // The value is not handed over: what is no reference may be a key.
  if (!parsed.success) throw invalidInput(parsed.error, { schema: gpuWorkerEntry, value: {}, prefix: 'worker' })
  const { url, key, ca_file: caFile } = parsed.data
  const { plain } = parseWorkerUrl(url)
  if (plain && caFile !== undefined) {
    throw new QueueError('invalid_input', 'ca_file is for https:// only, and the URL begins with http://')
  }
  for (const [what, file] of [
    ['key.file', key !== undefined && 'file' in key ? key.file : undefined],
    ['ca_file', caFile],
  ] as const) {
    if (file !== undefined && !isAbsolute(file)) {
      throw new QueueError('invalid_input', `${what} is "${file}", which is not an absolute path`)
    }
  }
  try {
    if (caFile !== undefined) readCaFile(caFile)
    // A variable or a keychain may be there later, for a manager that was started elsewhere.
    if (key !== undefined && 'file' in key) await readKey(key, sources)
  } catch (error) {
    if (error instanceof WorkerFault) throw new QueueError('invalid_input', error.message)
    throw error
  }
  return parsed.data
}
