import { cpus } from 'node:os'

/** @returns the model of this machine's processor, for people; at most 150 characters */
export function processorName(): string {
  return cpus()[0]?.model.trim().slice(0, 150) || `processor (${process.arch})`
}
