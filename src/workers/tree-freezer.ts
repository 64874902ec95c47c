import { setTimeout as sleep } from 'node:timers/promises'
import { lookForMembers, signal, type TreeKiller } from './end-tree.ts'
import type { ExecutorLog } from './executor-context.ts'
import type { ProcessFacts } from './process-table.ts'
import type { TreeRoot } from './process-tree.ts'

export interface TreeFreezerOptions {
  readonly killer: TreeKiller
  readonly root: () => TreeRoot
  /** False once the attempt is ending: its processes are not held any more. */
  readonly isRunning: () => boolean
  readonly log: ExecutorLog
  /** For the log. */
  readonly unitId: string
}

/** What a process may take to stop before it is named as one that does not. */
const patienceMs = 5_000
const firstPauseMs = 4
const longestPauseMs = 50
/** What does not stop so soon holds up its children no longer; a busy machine takes tens of ms. */
const levelPatienceMs = 1_000

type Wanted = 'running' | 'frozen'

/**
 * Stops and continues the processes of one attempt, never its runner: it must notice the end of the command. The last wish
 * counts; one begun before it ends early.
 */
export class TreeFreezer {
  readonly #options: TreeFreezerOptions
  /** Members of all scans so far: what was stopped here is found again though its parent is gone. */
  readonly #known = new Map<number, string>()
  /** Who was sent STOP, by pid with its start time. */
  readonly #told = new Map<number, string>()
  #wanted: Wanted = 'running'
  #work: Promise<void> = Promise.resolve()

  constructor(options: TreeFreezerOptions) {
    this.#options = options
  }

  /** Resolves when none of them runs, or when it was overtaken by `thaw` or the end of the attempt. */
  freeze(): Promise<void> {
    return this.#want('frozen', () => this.#stopAll())
  }

  thaw(): Promise<void> {
    return this.#want('running', () => this.#continueAll())
  }

  #want(wanted: Wanted, work: () => Promise<void>): Promise<void> {
    this.#wanted = wanted
    const mine = this.#work.then(work)
    this.#work = mine.catch(() => undefined)
    return mine
  }

  #isWanted(wanted: Wanted): boolean {
    return this.#wanted === wanted && this.#options.isRunning() && !this.#options.killer.abandoned()
  }

  /** Until two looks in a row find none that runs: a child that was forked meanwhile shows at the next one. */
  async #stopAll(): Promise<void> {
    const { killer, log, unitId } = this.#options
    const begun = killer.clock.monotonic()
    let pauseMs = firstPauseMs
    for (let stillLooks = 0; stillLooks < 2; ) {
      const members = await this.#members()
      if (!this.#isWanted('frozen')) return
      const running = members.filter((one) => !this.#isStill(one))
      if (running.length === 0) {
        stillLooks++
        await sleep(firstPauseMs)
        continue
      }
      stillLooks = 0
      if (killer.clock.monotonic() - begun >= patienceMs) {
        log.warn({ unit: unitId, pids: running.map((one) => one.pid) }, 'processes of a frozen command do not stop')
        return
      }
      // Parents first, and each level only when the one above stands: none may see its child stopped and act on it.
      for (const level of parentsFirst(members)) {
        await this.#stopLevel(level.filter((one) => !this.#isStill(one)))
        if (!this.#isWanted('frozen')) return
      }
      await sleep(pauseMs)
      pauseMs = Math.min(pauseMs * 2, longestPauseMs)
    }
  }

  async #stopLevel(running: readonly ProcessFacts[]): Promise<void> {
    const { table, clock } = this.#options.killer
    const until = clock.monotonic() + levelPatienceMs
    for (const one of running) if (signal(table, one, 'SIGSTOP')) this.#told.set(one.pid, one.startTime)
    let left = running
    while (left.length > 0 && clock.monotonic() < until) {
      await sleep(1)
      left = left.filter((one) => this.#stillRuns(one))
    }
  }

  #stillRuns(one: ProcessFacts): boolean {
    try {
      const now = this.#options.killer.table.find(one.pid)
      return now?.startTime === one.startTime && !this.#isStill(now)
    } catch {
      return true
    }
  }

  async #continueAll(): Promise<void> {
    const { killer } = this.#options
    const begun = killer.clock.monotonic()
    const told = new Map<number, string>()
    while (killer.clock.monotonic() - begun < patienceMs) {
      const members = await this.#members()
      if (!this.#isWanted('running')) return
      const waiting = members.filter((one) => told.get(one.pid) !== one.startTime && (told.size === 0 || one.isStopped))
      if (waiting.length === 0) break
      // Children first: a parent that goes on must not find its child stopped.
      for (const one of parentsFirst(waiting).reverse().flat()) {
        if (signal(killer.table, one, 'SIGCONT')) told.set(one.pid, one.startTime)
      }
      await sleep(firstPauseMs)
    }
    this.#told.clear()
  }

  /** Without the runner. */
  async #members(): Promise<readonly ProcessFacts[]> {
    const { killer, root } = this.#options
    const { runner } = root()
    const members = await lookForMembers(killer, root(), this.#known)
    return members.filter((one) => one.pid !== runner?.pid || one.startTime !== runner.startTime)
  }

  #isStill(one: ProcessFacts): boolean {
    if (one.isStopped === true) return true
    // A parent waits so for its child after a vfork, for ever when the child was stopped before its exec.
    return one.isUninterruptible === true && this.#told.get(one.pid) === one.startTime
  }
}

/** @returns the processes by depth: those whose parent is not among them, then their children, and so on. */
export function parentsFirst(processes: readonly ProcessFacts[]): ProcessFacts[][] {
  const pids = new Set(processes.map((one) => one.pid))
  const levels: ProcessFacts[][] = []
  let left = [...processes]
  while (left.length > 0) {
    const level = left.filter((one) => !pids.has(one.parentPid) || one.parentPid === one.pid)
    // Pids that were given out anew while they were listed may seem to form a circle.
    if (level.length === 0) return [...levels, left]
    for (const one of level) pids.delete(one.pid)
    left = left.filter((one) => !level.includes(one))
    levels.push(level)
  }
  return levels
}
