import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** One line that a job's command wrote itself: what truly ran, seen from outside the product. */
export interface LedgerLine {
  readonly name: string
  readonly event: 'start' | 'end'
  readonly attempt: number
  readonly pid: number
  /** Wall ms. */
  readonly at: number
}

export interface LedgerCommand {
  readonly type: 'command'
  readonly params: { readonly shell: true; readonly script: string; readonly cwd: string }
  readonly name: string
}

const file = (directory: string): string => join(directory, 'ledger.txt')

/**
 * A job that appends one line when it starts and one when it ends; single writes under 4 KiB to an append file do not mix.
 * Its last output line is `result <name>`.
 * @param directory where the ledger lies: outside the state directory
 * @param seconds how long the command runs between the lines
 */
export function ledgerCommand(directory: string, name: string, seconds: number): LedgerCommand {
  const line = (event: string): string =>
    `printf '%s %s %s %s %s\\n' ${name} ${event} "\${NIGHTKILN_ATTEMPT:-0}" "$$" "$(date +%s%3N)" >> ledger.txt`
  const script = [line('start'), `sleep ${seconds}`, line('end'), `echo "result ${name}"`].join('\n')
  return { type: 'command', params: { shell: true, script, cwd: directory }, name }
}

/** @returns all lines so far, in writing order; [] before the first */
export function readLedger(directory: string): readonly LedgerLine[] {
  let text: string
  try {
    text = readFileSync(file(directory), 'utf8')
  } catch {
    return []
  }
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [name, event, attempt, pid, at] = line.split(' ')
      if (name === undefined || (event !== 'start' && event !== 'end')) throw new Error(`bad ledger line: ${line}`)
      return { name, event, attempt: Number(attempt), pid: Number(pid), at: Number(at) }
    })
}

/** @returns how often each name started and ended */
export function countRuns(lines: readonly LedgerLine[]): ReadonlyMap<string, { starts: number; ends: number }> {
  const counts = new Map<string, { starts: number; ends: number }>()
  for (const line of lines) {
    const count = counts.get(line.name) ?? { starts: 0, ends: 0 }
    if (line.event === 'start') count.starts += 1
    else count.ends += 1
    counts.set(line.name, count)
  }
  return counts
}

/** @returns names that have started and not ended: what runs at this moment */
export function runningNames(lines: readonly LedgerLine[]): readonly string[] {
  return [...countRuns(lines)].filter(([, count]) => count.starts > count.ends).map(([name]) => name)
}
