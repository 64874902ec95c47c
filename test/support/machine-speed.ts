import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** What an empty program of Node takes on a machine with a core to spare. */
const unloadedNodeMs = 60

export async function emptyNodeMs(): Promise<number> {
  const begun = performance.now()
  await promisify(execFile)(process.execPath, ['-e', '0'])
  return performance.now() - begun
}

/** @returns how many times slower than a free machine these starts of an empty program were; at least 1 */
export function slownessOf(emptyStartsMs: readonly number[]): number {
  const middle = [...emptyStartsMs].sort((left, right) => left - right)[emptyStartsMs.length >> 1] ?? unloadedNodeMs
  return Math.max(1, middle / unloadedNodeMs)
}

/**
 * @returns the bound for a promise in time, stretched by what the machine is busy with beside the test; asked for when the
 * time has been taken, so that what delayed it is still there
 */
export async function stretched(limitMs: number): Promise<number> {
  return limitMs * slownessOf([await emptyNodeMs()])
}
