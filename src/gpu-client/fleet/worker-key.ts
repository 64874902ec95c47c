import { randomUUID } from 'node:crypto'
import type { GpuWorkerEntry } from '../../domain/wire/gpu.ts'
import { fingerprintOf } from '../workers-file.ts'

/** A variable or a keychain tells no change; a new process may have another value. */
const thisProcess = randomUUID()

/** @returns a text that changes when the entry or its key file does; says nothing of the key itself */
export function keyFingerprint(entry: GpuWorkerEntry): string {
  const { key } = entry
  if (key === undefined) return `${entry.url} none`
  return 'file' in key ? `${entry.url} ${key.file} ${fingerprintOf(key.file)}` : `${entry.url} ${thisProcess}`
}
