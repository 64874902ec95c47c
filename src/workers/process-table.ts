/** One living process. A zombie is gone: nothing of it runs, and a container's init may never reap it. */
export interface ProcessFacts {
  readonly pid: number
  readonly parentPid: number
  readonly groupId: number
  readonly sessionId: number
  /** As the kernel states it; pid and start time name one process within a boot. */
  readonly startTime: string
  /** Set when a signal (or a tracer) holds it. */
  readonly isStopped?: boolean
  /** Set when it waits in the kernel and takes no signal: it runs nothing of its own before it takes those that wait. */
  readonly isUninterruptible?: boolean
}

/** What the environment of a process says of us; null: not there. */
export interface ProcessMarks {
  readonly instanceId: string | null
  readonly unitId: string | null
  readonly fence: string | null
  /** NIGHTKILN_PROCESS: what it is when it is one of our own. */
  readonly role: string | null
  /** NIGHTKILN_HOST_ID: the thread host that it is, or descends from; left out: none. */
  readonly hostId?: string
}

/** The system's processes, seen from outside. Each method throws the system's error when it cannot look now. */
export interface ProcessTable {
  /** All living processes, without one missed that forked while they were listed. */
  list(): readonly ProcessFacts[]
  /** Null when gone. */
  find(pid: number): ProcessFacts | null
  /** Null when unreadable (another user's) or gone. */
  marksOf(pid: number): ProcessMarks | null
}

/** True when that very process still lives. @throws the system's error when it cannot be told now */
export function isLiving(table: ProcessTable, identity: { readonly pid: number; readonly startTime: string }): boolean {
  return table.find(identity.pid)?.startTime === identity.startTime
}
