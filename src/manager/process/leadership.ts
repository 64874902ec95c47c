import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import { openConnection, shakeHands } from '../../client/connection.ts'
import { readManagerFile } from '../../client/manager-file.ts'
import type { ManagerFile } from '../../domain/wire/manager.ts'
import { bootId, isSameProcess } from '../../platform/process-identity.ts'

/** Held for life; the kernel frees it at any death. */
export interface LeaderLock {
  release(): void
}

export interface LeadershipOptions {
  readonly managerFile: string
  readonly tryLock: () => LeaderLock | null
  readonly probeTimeoutMs: number
  readonly probeCount: number
  readonly log: Logger
  /** Tests only: take over without killing, to see that the epoch alone refuses the old manager. */
  readonly skipKill: boolean
}

const lockRetryMs = 15
/** A candidate that can neither lead nor find a leader gives up, and says so. */
const candidateDeadlineMs = 20_000

/**
 * Decides whether this process leads. The lock alone decides; a holder is judged hung by several unanswered probes in a row on
 * this process's own clock, never by wall time, and then only that process is killed: its commands are adopted.
 * @returns the lock, or null when a living manager leads
 */
export async function becomeLeader(options: LeadershipOptions): Promise<LeaderLock | null> {
  const { tryLock, managerFile, probeCount, log, skipKill } = options
  const deadline = performance.now() + candidateDeadlineMs
  let suspect: string | null = null
  let unanswered = 0
  while (performance.now() < deadline) {
    const lock = tryLock()
    if (lock !== null) return lock
    const holder = readManagerFile(managerFile)
    if (holder === null || !isAlive(holder)) {
      // The winner of the lock has not written its file yet, or a dead holder's lock is about to be freed.
      await delay(lockRetryMs)
      continue
    }
    const identity = `${holder.pid}/${holder.start_time}/${holder.state}`
    if (identity !== suspect) {
      suspect = identity
      unanswered = 0
    }
    if (await answers(holder, options.probeTimeoutMs)) return null
    unanswered += 1
    // Starting and stopping take their time without answering; only a much longer silence is a hang there.
    const patience = holder.state === 'leading' ? probeCount : probeCount * 4
    if (unanswered < patience) continue
    log.warn({ pid: holder.pid, epoch: holder.epoch, unanswered }, 'the manager does not answer: it is replaced')
    if (skipKill) return { release: () => undefined }
    if (isAlive(holder)) process.kill(holder.pid, 'SIGKILL')
    suspect = null
  }
  return null
}

function isAlive(holder: ManagerFile): boolean {
  return holder.boot_id === bootId() && isSameProcess({ pid: holder.pid, startTime: holder.start_time })
}

async function answers(holder: ManagerFile, timeoutMs: number): Promise<boolean> {
  if (holder.socket === null || holder.state !== 'leading') {
    await delay(timeoutMs / 4)
    return false
  }
  const connection = await openConnection(holder.socket)
  const asked = performance.now()
  try {
    const { instance_id: instance } = await shakeHands(connection, timeoutMs)
    return instance === holder.instance_id
  } catch {
    // A refused connection fails at once; unanswered probes must still span time.
    await delay(Math.max(0, timeoutMs - (performance.now() - asked)))
    return false
  } finally {
    await connection.close()
  }
}
