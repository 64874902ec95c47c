import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { readManagerFile } from '../../client/manager-file.ts'
import { readStartupError } from '../../client/startup-error.ts'
import type { StatePaths } from '../../config/paths.ts'
import { version } from '../../config/version.ts'
import { QueueError } from '../../domain/errors.ts'
import type { QueueStatusAnswer } from '../../domain/wire/jobs.ts'
import { readDeaths } from '../../platform/deaths-file.ts'
import { mayBeSameProcess } from '../../platform/process-identity.ts'
import { counted, formatAge, formatBytes, formatSeconds } from '../display/quantities.ts'
import type { Session } from '../session.ts'
import { type Check, checkNamed } from './check.ts'
import { runProbe } from './run-probe.ts'

const connectTimeoutMs = 2_000
const answerTimeoutMs = 10_000
/** Node 20 silently cuts longer unix socket paths. */
const longestSocketPath = 100
const shownWindowMs = 24 * 3_600_000
const seeLog = 'Look at nightkiln manager logs.'

function reaches(socket: string): Promise<string | null> {
  return new Promise((resolve) => {
    const connection = connect(socket)
    const end = (reason: string | null) => {
      connection.destroy()
      resolve(reason)
    }
    connection.setTimeout(connectTimeoutMs, () => end(`no connection within ${connectTimeoutMs / 1000} s`))
    connection.on('connect', () => end(null))
    connection.on('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message))
  })
}

/** Its path fits, and somebody listens when a manager says so. */
export async function checkSocket(paths: StatePaths): Promise<Check> {
  const check = checkNamed('socket', 'socket')
  const file = readManagerFile(paths.managerFile)
  if (file === null || file.socket === null || file.state !== 'leading') return check.ok('none: no manager runs')
  const bytes = Buffer.byteLength(file.socket)
  if (process.platform !== 'win32' && bytes > longestSocketPath) {
    return check.problem(
      `${file.socket} has ${bytes} bytes, more than ${longestSocketPath}`,
      'Set NIGHTKILN_HOME to a shorter path.',
    )
  }
  const reason = await reaches(file.socket)
  if (reason === null) return check.ok(`${file.socket} (${bytes} bytes)`)
  if (!mayBeSameProcess({ pid: file.pid, startTime: file.start_time })) {
    return check.warning(
      `${file.socket}: ${reason}; its manager (pid ${file.pid}) is gone`,
      'Nothing to do: the next command starts a new manager.',
    )
  }
  return check.problem(
    `${file.socket}: ${reason}, though its manager (pid ${file.pid}) lives`,
    `Run nightkiln manager start: it replaces a manager that hangs.`,
  )
}

/** Who holds the lock that makes a process the manager. */
export function checkLock(paths: StatePaths, environment: NodeJS.ProcessEnv): Check {
  const check = checkNamed('lock', 'lock')
  const answer = runProbe(['lock', paths.lockDatabase], environment)
  const file = readManagerFile(paths.managerFile)
  const alive = file !== null && mayBeSameProcess({ pid: file.pid, startTime: file.start_time })
  if (!answer.ok)
    return check.problem(
      `${paths.lockDatabase}: ${answer.message}`,
      `Move ${paths.lockDatabase} away while no manager runs; it holds no data.`,
    )
  if (answer.held === true) {
    if (alive) return check.ok(`held by the manager, pid ${file.pid}, epoch ${file.epoch}`)
    return check.problem(
      'held by a process that is not the recorded manager',
      `Find it: fuser ${paths.lockDatabase} (or lsof), then end it.`,
    )
  }
  if (alive && file.state === 'leading') {
    return check.problem(
      `free, though pid ${file.pid} calls itself the manager`,
      'Run nightkiln manager stop, then nightkiln manager start.',
    )
  }
  return check.ok('free: no manager runs')
}

/** A manager that answers, and what it says of itself; null when none does. */
export async function checkManager(session: Session): Promise<{ check: Check; status: QueueStatusAnswer | null }> {
  const check = checkNamed('manager', 'manager')
  try {
    const signal = AbortSignal.any([session.interrupted, AbortSignal.timeout(answerTimeoutMs)])
    const status = await session.visitor().call('queue_status', {}, { signal })
    const { manager } = status
    const text = `version ${manager.version}, pid ${manager.pid}, up ${formatSeconds(manager.uptime_s)}, ${formatBytes(manager.rss_bytes)}`
    if (manager.version !== version) {
      return {
        check: check.warning(
          `${text}; this program is ${version}`,
          'Run nightkiln manager stop: the next command starts the newest version.',
        ),
        status,
      }
    }
    return {
      check:
        status.warnings.length === 0 ? check.ok(text) : check.warning(`${text}; ${status.warnings.join('; ')}`, seeLog),
      status,
    }
  } catch (error) {
    if (session.interrupted.aborted) throw error
    return { check: silentManager(session, error), status: null }
  }
}

function silentManager(session: Session, error: unknown): Check {
  const check = checkNamed('manager', 'manager')
  const problem = error instanceof QueueError ? error : null
  const file = readManagerFile(session.paths().managerFile)
  const alive = file !== null && mayBeSameProcess({ pid: file.pid, startTime: file.start_time })
  if (problem !== null && problem.code !== 'manager_unavailable') return check.problem(problem.message, problem.remedy)
  if (!alive) {
    const failure = readStartupError(session.paths().startupErrorFile)
    if (failure !== null) return check.problem(`the last start failed: ${failure.message}`, failure.remedy)
    return check.ok('not running; it starts by itself when needed')
  }
  if (file.state === 'starting') return check.warning(`pid ${file.pid} is starting`, 'Run nightkiln doctor again.')
  return check.problem(
    problem?.message ?? `pid ${file.pid} does not answer`,
    'Run nightkiln manager start: it replaces a manager that hangs; running commands are taken over.',
  )
}

/** The manager's own word while it runs; a check of the file itself when it does not. */
export function checkDatabase(
  paths: StatePaths,
  status: QueueStatusAnswer | null,
  environment: NodeJS.ProcessEnv,
): Check {
  const check = checkNamed('database', 'database')
  if (status !== null) {
    const { storage, jobs } = status
    const total = jobs.queued + jobs.running + jobs.completed + jobs.failed + jobs.cancelled
    if (!storage.healthy) return check.problem('the manager reports that its storage is not healthy', seeLog)
    if (!storage.accepting_jobs)
      return check.problem('no new jobs are taken: too little free space', 'Free disk space.')
    return check.ok(`healthy, ${counted(total, 'job')}`)
  }
  if (!existsSync(paths.database)) {
    if (existsSync(paths.instanceFile)) {
      return check.problem(
        `${paths.database} is missing, but ${paths.instanceFile} says that it existed`,
        `Restore it from ${paths.backups}, or move the state directory away to begin anew.`,
      )
    }
    return check.ok('not made yet')
  }
  const answer = runProbe(['database', paths.database], environment)
  if (answer.ok) return check.ok(`sound, ${counted(answer.jobs ?? 0, 'job')}`)
  return check.problem(
    `${paths.database}: ${answer.message}`,
    `Keep a copy of ${paths.home}, then restore the newest file of ${paths.backups}.`,
  )
}

/** Whether self-healing gave up. */
export function checkHealing(paths: StatePaths, now: number): Check {
  const check = checkNamed('self_healing', 'self-healing')
  const { deaths, healing_stopped: stopped } = readDeaths(paths.deathsFile)
  const recent = deaths.filter((death) => death.at > now - shownWindowMs).length
  if (stopped !== null) {
    const when = formatAge(new Date(stopped.at).toISOString(), now)
    const detail = `stopped ${when}: ${stopped.reason}`
    const manager = readManagerFile(paths.managerFile)
    const alive = manager !== null && mayBeSameProcess({ pid: manager.pid, startTime: manager.start_time })
    // A client has started it again: then the cause is worth a look, but nothing stands still.
    if (alive) return check.warning(detail, `${seeLog.slice(0, -1)} for the cause.`)
    return check.problem(detail, `${seeLog.slice(0, -1)} for the cause, then run nightkiln manager start.`)
  }
  if (recent > 0)
    return check.warning(`the manager died ${counted(recent, 'time')} in the last 24 hours and was replaced`, seeLog)
  return check.ok('no manager died')
}
