import { readdirSync, readFileSync } from 'node:fs'

/**
 * Looks for processes that a handler has started past `ctx.spawn`: they are children of this process, whichever thread made them.
 * @param known pids of children that somebody else looks after
 * @returns true also when it cannot be told
 */
export function hasStrayChildren(known: ReadonlySet<number>): boolean {
  try {
    for (const task of readdirSync('/proc/self/task')) {
      for (const pid of childrenOf(task)) if (!known.has(pid) && isRunning(pid)) return true
    }
    return false
  } catch {
    return true
  }
}

function childrenOf(task: string): readonly number[] {
  try {
    return readFileSync(`/proc/self/task/${task}/children`, 'latin1').split(' ').filter(Boolean).map(Number)
  } catch (error) {
    // The thread has just ended, and left its children to another.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' && task !== String(process.pid)) return []
    throw error
  }
}

/** A zombie runs nothing; it stays until this process ends, since its thread is gone. */
function isRunning(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return !['Z', 'X'].includes(stat.charAt(stat.lastIndexOf(')') + 2))
  } catch {
    return false
  }
}
