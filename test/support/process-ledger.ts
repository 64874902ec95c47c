import { commandLine, isAlive, pidsOfHome, readStat } from './proc.ts'
import { waitUntil } from './wait-until.ts'

interface Entry {
  readonly pid: number
  readonly startTime: string
  /** True when the process leads its own group and the whole group is ours. */
  readonly group: boolean
}

export interface ProcessLedger {
  /** Remembers a process that the test started; `group`: it was spawned detached and leads its own process group. */
  add(pid: number | undefined, options?: { readonly group?: boolean }): void
  /** Kills every process recorded here, and every process that belongs to the test's state directory. */
  killAll(): Promise<void>
  /** @throws Error naming what of this state directory still runs after `withinMs` (default 15 s) */
  assertNothingLeft(withinMs?: number): Promise<void>
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // Gone already.
  }
}

/** @param home the test's NIGHTKILN_HOME: the mark by which its processes are known */
export function createProcessLedger(home: string): ProcessLedger {
  const entries: Entry[] = []
  const ours = (): readonly number[] => pidsOfHome(home)
  const isSame = (entry: Entry): boolean => readStat(entry.pid)?.startTime === entry.startTime && isAlive(entry.pid)

  return {
    add(pid, options = {}) {
      if (pid === undefined) throw new Error('the process was not started')
      entries.push({ pid, startTime: readStat(pid)?.startTime ?? '', group: options.group === true })
    },

    async killAll() {
      for (const entry of entries) {
        if (!isSame(entry)) continue
        if (entry.group && readStat(entry.pid)?.group === entry.pid) kill(-entry.pid, 'SIGKILL')
        kill(entry.pid, 'SIGKILL')
      }
      // What dies may start another (self-healing), so it is looked for until none is left.
      await waitUntil(
        () => {
          const left = ours()
          for (const pid of left) kill(pid, 'SIGKILL')
          return left.length === 0 && !entries.some(isSame)
        },
        { timeoutMs: 30_000, what: `every process of ${home} to be gone` },
      )
    },

    async assertNothingLeft(withinMs = 15_000) {
      let left: readonly number[] = []
      await waitUntil(
        () => {
          left = ours()
          return left.length === 0
        },
        { timeoutMs: withinMs },
      ).catch(() => {
        const lines = left.map((pid) => `${pid}: ${commandLine(pid)}`)
        throw new Error(`still running for ${home}:\n${lines.join('\n')}`)
      })
    },
  }
}
