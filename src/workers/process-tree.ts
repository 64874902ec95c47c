import { type AttemptMark, carriesMark, type HostMark, isProtected } from './marks.ts'
import type { ProcessScan } from './process-scanner.ts'
import type { ProcessFacts } from './process-table.ts'

/** Where the processes of an attempt, or of a thread host, are looked for. */
export interface TreeRoot {
  readonly mark: AttemptMark | HostMark
  /** Null when no runner was ever seen: then only the mark counts. */
  readonly runner: { readonly pid: number; readonly startTime: string } | null
  /** True while this manager watched the runner until now: its session cannot be another's yet. */
  readonly watched: boolean
  /** The manager itself: it and its process group are never members. */
  readonly managerPid: number
}

/**
 * The living processes of an attempt: by mark, by the session and process group of the runner, and by descent from
 * these. Our own processes (manager, launcher, host) never, nor what descends from them without a mark of its own.
 * @param known members of earlier scans, by pid; they stay members. Extended by this call.
 */
export function treeMembers(scan: ProcessScan, root: TreeRoot, known: Map<number, string>): readonly ProcessFacts[] {
  const managerGroup = scan.processes.get(root.managerPid)?.groupId ?? 0
  const candidates = [...scan.processes.values()].filter(
    (one) => one.pid > 1 && one.pid !== root.managerPid && (one.groupId !== managerGroup || managerGroup === 0),
  )
  const recent = candidates.filter((one) => !isOlder(one.startTime, root.runner?.startTime))
  const ours = new Set<number>()
  const protectedPids = new Set<number>([root.managerPid])
  for (const one of recent) {
    const marks = scan.marksOf(one.pid)
    if (isProtected(marks, one.sessionId === root.runner?.pid, root.mark)) protectedPids.add(one.pid)
    else if (carriesMark(marks, root.mark)) ours.add(one.pid)
  }
  const children = childrenOf(scan)
  spread(protectedPids, children, (pid) => !ours.has(pid))

  const session = sessionOf(scan, root, ours)
  for (const one of recent) {
    if (protectedPids.has(one.pid)) continue
    const inSession = session !== null && (one.sessionId === session || one.groupId === session)
    if (inSession || known.get(one.pid) === one.startTime) ours.add(one.pid)
  }
  spread(ours, children, (pid) => !protectedPids.has(pid))

  const members = candidates.filter((one) => ours.has(one.pid))
  for (const one of members) known.set(one.pid, one.startTime)
  return members
}

/** Adds the descendants that pass; what does not pass hides its own descendants too. */
function spread(pids: Set<number>, children: ReadonlyMap<number, readonly number[]>, passes: (pid: number) => boolean) {
  const open = [...pids]
  for (let pid = open.pop(); pid !== undefined; pid = open.pop()) {
    for (const child of children.get(pid) ?? []) {
      if (pids.has(child) || !passes(child)) continue
      pids.add(child)
      open.push(child)
    }
  }
}

function childrenOf(scan: ProcessScan): ReadonlyMap<number, readonly number[]> {
  const children = new Map<number, number[]>()
  for (const one of scan.processes.values()) {
    const siblings = children.get(one.parentPid)
    if (siblings === undefined) children.set(one.parentPid, [one.pid])
    else siblings.push(one.pid)
  }
  return children
}

/**
 * The runner's pid as a session and group id, when these are still its own: a number in use is not given out again, but
 * once all are gone it may name strangers. Proof is the living runner, a marked process in it, or having just watched.
 */
function sessionOf(scan: ProcessScan, root: TreeRoot, marked: ReadonlySet<number>): number | null {
  const runner = root.runner
  if (runner === null) return null
  const holder = scan.processes.get(runner.pid)
  if (holder !== undefined) return holder.startTime === runner.startTime ? runner.pid : null
  if (root.watched) return runner.pid
  for (const pid of marked) {
    const facts = scan.processes.get(pid)
    if (facts?.sessionId === runner.pid || facts?.groupId === runner.pid) return runner.pid
  }
  return null
}

/** True when the first process surely started before the second; times that are not numbers do not decide. */
function isOlder(startTime: string, than: string | undefined): boolean {
  return than !== undefined && Number(startTime) < Number(than)
}
