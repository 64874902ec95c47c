import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../domain/clock.ts'
import { isPassing } from './attempt-access.ts'
import type { ProcessScanner } from './process-scanner.ts'
import type { ProcessFacts, ProcessTable } from './process-table.ts'
import { type TreeRoot, treeMembers } from './process-tree.ts'

export interface TreeKiller {
  readonly table: ProcessTable
  readonly scanner: ProcessScanner
  readonly clock: Pick<Clock, 'monotonic'>
  /** True: stop here, the next manager goes on. */
  readonly abandoned: () => boolean
}

/** After KILL, how long a process may take to go before it is called a survivor. */
const killMs = 1_800
/** The runner writes the exit status after the command has gone; then it ends by itself. */
const runnerExitMs = 400
const firstPauseMs = 4
const longestPauseMs = 100
const blindPauseMs = 100
const abandonedMessage = 'abandoned: the next manager goes on'

/**
 * The living processes of an attempt, now. When the processes cannot be looked at (no free descriptor, no memory) this
 * waits until they can: not seen does not mean gone.
 * @param blind told how long it waited
 * @throws Error when abandoned meanwhile
 */
export async function lookForMembers(
  killer: TreeKiller,
  root: TreeRoot,
  known: Map<number, string>,
  blind: (ms: number) => void = () => undefined,
): Promise<readonly ProcessFacts[]> {
  let since: number | null = null
  for (;;) {
    try {
      const members = treeMembers(await killer.scanner.scan(), root, known)
      if (since !== null) blind(killer.clock.monotonic() - since)
      return members
    } catch (error) {
      if (!isPassing(error)) throw error
      since ??= killer.clock.monotonic()
    }
    if (killer.abandoned()) throw new Error(abandonedMessage)
    await sleep(blindPauseMs)
  }
}

/**
 * Ends all processes of an attempt: TERM, grace, KILL, until a second look finds none. The runner is let live until the
 * others are gone.
 * @param graceMs between TERM and KILL
 * @returns pids that could not be ended (uninterruptible, or another user's)
 * @throws Error when abandoned half-way
 */
export async function endTree(killer: TreeKiller, root: TreeRoot, graceMs: number): Promise<readonly number[]> {
  const { clock } = killer
  const known = new Map<number, string>()
  const told = new Set<number>()
  let begun = clock.monotonic()
  const passOver = (ms: number): void => {
    // Neither grace nor patience runs out while nothing can be seen.
    begun += ms
  }
  let aloneSince: number | null = null
  let pauseMs = firstPauseMs
  let cleanScans = 0

  while (!killer.abandoned()) {
    const members = await lookForMembers(killer, root, known, passOver)
    if (killer.abandoned()) break
    const elapsed = clock.monotonic() - begun
    if (members.length === 0) {
      // A second look: between a fork and its exec a process may show no environment.
      if (++cleanScans === 2) return []
      await sleep(firstPauseMs)
      continue
    }
    cleanScans = 0
    if (elapsed >= graceMs + killMs) return members.map((one) => one.pid)

    const isRunner = (one: ProcessFacts): boolean =>
      one.pid === root.runner?.pid && one.startTime === root.runner.startTime
    const others = members.filter((one) => !isRunner(one))
    const killing = elapsed >= graceMs
    aloneSince = others.length > 0 ? null : (aloneSince ?? elapsed)
    const runnerOverdue =
      (aloneSince !== null && elapsed - aloneSince >= runnerExitMs) || elapsed >= graceMs + runnerExitMs

    if (killing) {
      // Stopped first, so that none forks away while its siblings are killed.
      for (const one of others) signal(killer.table, one, 'SIGSTOP')
      for (const one of others) signal(killer.table, one, 'SIGKILL')
      if (pauseMs > 25) pauseMs = firstPauseMs
    } else {
      const reached = others.filter((one) => !told.has(one.pid) && signal(killer.table, one, 'SIGTERM'))
      // What is frozen hears the first signal only now.
      for (const one of reached) signal(killer.table, one, 'SIGCONT')
      for (const one of reached) told.add(one.pid)
    }
    for (const one of members.filter(isRunner)) signal(killer.table, one, runnerOverdue ? 'SIGKILL' : 'SIGCONT')

    const untilKill = killing ? pauseMs : Math.max(1, graceMs - elapsed)
    await sleep(Math.min(pauseMs, untilKill))
    pauseMs = Math.min(pauseMs * 2, longestPauseMs)
  }
  throw new Error(abandonedMessage)
}

/**
 * Signals that very process: its start time is read again right before, since its pid may have a new owner.
 * @returns false when it could not be told whether it is that process: then nothing was sent
 */
export function signal(table: ProcessTable, target: ProcessFacts, name: NodeJS.Signals): boolean {
  try {
    if (table.find(target.pid)?.startTime !== target.startTime) return true
  } catch {
    return false
  }
  try {
    process.kill(target.pid, name)
  } catch {
    // Gone meanwhile, or another user's: the next scan tells which.
  }
  return true
}
