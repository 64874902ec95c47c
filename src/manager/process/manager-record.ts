import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ManagerFile } from '../../domain/wire/manager.ts'
import { apiVersion } from '../../domain/wire/shared.ts'
import { writeFileAtomic } from '../../platform/atomic-file.ts'
import { directoryIdentity } from '../../platform/directory-identity.ts'
import { bootId, ownIdentity } from '../../platform/process-identity.ts'

/** Writes `manager.json` in the stages of a manager's life; each write replaces the whole file atomically. */
export class ManagerRecord {
  readonly #file: string
  #record: ManagerFile

  constructor(file: string, version: string) {
    const own = ownIdentity()
    this.#file = file
    this.#record = {
      pid: own.pid,
      start_time: own.startTime,
      boot_id: bootId(),
      instance_id: '',
      home_identity: directoryIdentity(dirname(file)),
      epoch: 0,
      version,
      api_version: apiVersion,
      node: process.execPath,
      entry: fileURLToPath(new URL('./main.js', import.meta.url)),
      socket: null,
      state: 'starting',
      written_at: Date.now(),
    }
  }

  write(change: Partial<Pick<ManagerFile, 'instance_id' | 'epoch' | 'socket' | 'state'>>): void {
    this.#record = { ...this.#record, ...change, written_at: Date.now() }
    writeFileAtomic(this.#file, `${JSON.stringify(this.#record, null, 2)}\n`)
  }
}
