import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import { openConnection, shakeHands } from '../../client/connection.ts'
import { readManagerFile } from '../../client/manager-file.ts'
import { QueueError } from '../../domain/errors.ts'
import type { ManagerFile } from '../../domain/wire/manager.ts'
import { readProcessActivity } from '../../platform/process-activity.ts'
import { bootId, isSameProcess } from '../../platform/process-identity.ts'
import { Silence } from '../../platform/silence.ts'

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
/** Between two looks at a manager that is about to end. */
const stoppingPauseMs = 100
/** A candidate that can neither lead nor find a leader gives up, and says so. */
const candidateDeadlineMs = 20_000

/**
 * Decides whether this process leads. The lock alone decides; a holder is judged hung by several unanswered probes in a row on
 * this process's own clock, never by wall time, and then only that process is killed: its commands are adopted.
 * @returns the lock, or null when a living manager leads
 */
export async function becomeLeader(options: LeadershipOptions): Promise<LeaderLock | null> {
  const { tryLock, managerFile, log, skipKill } = options
  const deadline = performance.now() + candidateDeadlineMs
  let suspect: string | null = null
  let silence = new Silence(() => null)
  let probeAt = Number.NEGATIVE_INFINITY
  while (performance.now() < deadline) {
    const lock = tryLock()
    if (lock !== null) return lock
    const holder = readManagerFile(managerFile)
    // Not alive: the winner of the lock has not written its file yet, or a dead holder's lock is about to be freed.
    if (performance.now() < probeAt || holder === null || !isAlive(holder)) {
      await delay(lockRetryMs)
      continue
    }
    if (nameOf(holder) !== suspect) {
      suspect = nameOf(holder)
      silence = new Silence(() => readProcessActivity(holder.pid))
    }
    const askedAt = performance.now()
    const { answer, patience, pauseMs, allowedMs } = await probe(holder, options)
    if (answer === 'leading') return null
    // A refused connection fails at once; unanswered probes must still span time.
    probeAt = askedAt + pauseMs
    if (answer === 'stopping') {
      silence.reset()
      continue
    }
    const unanswered = silence.add(allowedMs, performance.now() - askedAt)
    if (unanswered < patience) continue
    // It may have become ready, or ended, since this probe began.
    const now = readManagerFile(managerFile)
    if (now === null || nameOf(now) !== suspect || !isAlive(now)) continue
    log.warn({ pid: holder.pid, epoch: holder.epoch, unanswered }, 'the manager does not answer: it is replaced')
    if (skipKill) return { release: () => undefined }
    process.kill(holder.pid, 'SIGKILL')
    suspect = null
  }
  return null
}

function nameOf(holder: ManagerFile): string {
  return `${holder.pid}/${holder.start_time}/${holder.state}`
}

function isAlive(holder: ManagerFile): boolean {
  return holder.boot_id === bootId() && isSameProcess({ pid: holder.pid, startTime: holder.start_time })
}

interface Probe {
  readonly answer: 'leading' | 'stopping' | 'none'
  /** Unanswered probes in a row that make a hang. */
  readonly patience: number
  /** How long an answer is waited for. */
  readonly allowedMs: number
  /** From the start of this probe to the next. */
  readonly pauseMs: number
}

async function probe(holder: ManagerFile, options: LeadershipOptions): Promise<Probe> {
  const { probeTimeoutMs, probeCount } = options
  // Starting and stopping take their time without answering; only a much longer silence is a hang there.
  if (holder.socket === null || holder.state !== 'leading') {
    const allowedMs = probeTimeoutMs / 4
    return { answer: 'none', patience: probeCount * 4, allowedMs, pauseMs: allowedMs }
  }
  const silent = { patience: probeCount, allowedMs: probeTimeoutMs, pauseMs: probeTimeoutMs }
  const connection = await openConnection(holder.socket)
  try {
    const { instance_id: instance, state } = await shakeHands(connection, probeTimeoutMs)
    if (instance !== holder.instance_id) return { answer: 'none', ...silent }
    return { ...silent, answer: state === 'draining' ? 'stopping' : 'leading', pauseMs: stoppingPauseMs }
  } catch (error) {
    // Any answer of the manager, a refusal too, is a sign of life; otherwise nobody answered.
    return { ...silent, answer: error instanceof QueueError ? 'leading' : 'none' }
  } finally {
    await connection.close()
  }
}
