import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Calls a named point at which a test may kill or stop the process. A no-op unless NIGHTKILN_FAULT names the point. */
export type FaultPoint = (name: string) => void

interface Fault {
  readonly action: 'kill' | 'pause' | 'skip'
  remaining: number
}

/**
 * Reads `NIGHTKILN_FAULT`, a list of `point=action[@n]` separated by commas: at the n-th passage (default 1) of the point
 * `kill` ends the process by SIGKILL, `pause` blocks it until a file `<point>.go` appears in NIGHTKILN_FAULT_DIRECTORY
 * (after writing `<point>.reached` there), `skip` makes `isSkipped` answer true.
 */
export function createFaultPoints(environment: NodeJS.ProcessEnv): {
  reach: FaultPoint
  isSkipped(name: string): boolean
} {
  const text = environment['NIGHTKILN_FAULT'] ?? ''
  if (text === '') return { reach: () => undefined, isSkipped: () => false }
  const faults = parseFaults(text)
  const directory = environment['NIGHTKILN_FAULT_DIRECTORY']
  return {
    reach(name) {
      const fault = faults.get(name)
      if (fault === undefined || fault.action === 'skip') return
      fault.remaining -= 1
      if (fault.remaining !== 0) return
      if (directory !== undefined) writeFileSync(join(directory, `${name}.reached`), String(process.pid))
      if (fault.action === 'kill') process.kill(process.pid, 'SIGKILL')
      if (fault.action === 'pause' && directory !== undefined) blockUntilFile(join(directory, `${name}.go`))
    },
    isSkipped: (name) => faults.get(name)?.action === 'skip',
  }
}

function parseFaults(text: string): Map<string, Fault> {
  const faults = new Map<string, Fault>()
  for (const entry of text.split(',')) {
    const match = /^([a-z._]+)=(kill|pause|skip)(?:@(\d+))?$/.exec(entry.trim())
    if (match?.[1] === undefined) throw new RangeError(`NIGHTKILN_FAULT: cannot read "${entry}"`)
    faults.set(match[1], { action: match[2] as Fault['action'], remaining: Number(match[3] ?? 1) })
  }
  return faults
}

/** Blocks the whole process, as a long garbage collection or a stopped disk would. */
function blockUntilFile(file: string): void {
  const cell = new Int32Array(new SharedArrayBuffer(4))
  while (!existsSync(file)) Atomics.wait(cell, 0, 0, 5)
}
