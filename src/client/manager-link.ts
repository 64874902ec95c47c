import { setTimeout as delay } from 'node:timers/promises'
import { statePaths } from '../config/paths.ts'
import { QueueError } from '../domain/errors.ts'
import type { HandshakeAnswer } from '../domain/wire/manager.ts'
import { apiVersion } from '../domain/wire/shared.ts'
import { type Connection, ConnectionLostError, openConnection, shakeHands } from './connection.ts'
import type { LaunchLock } from './launch-lock.ts'
import { launchCandidate } from './launcher.ts'
import { readStartupError } from './startup-error.ts'
import { readManagerFile } from './manager-file.ts'
import { compareVersions } from './versions.ts'

export interface LinkOptions {
  readonly home: string
  readonly version: string
  /** False: never start a manager. */
  readonly launch: boolean
  /** Longest search for a manager that answers, ms. */
  readonly readyTimeoutMs: number
}

export interface Link {
  readonly connection: Connection
  readonly handshake: HandshakeAnswer
  /** True when this call started the manager. */
  readonly launched: boolean
}

const probeTimeoutMs = 1_000
const pollMs = 10
/** A candidate that has not become ready by then is presumed dead, and another is started. */
const candidateTimeoutMs = 6_000

/**
 * Finds the manager of a state directory, or launches it, once among any number of racing callers, and waits until it is ready.
 * A manager that does not answer is replaced by the candidate itself, which probes it again before it kills anything.
 * @throws QueueError manager_unavailable, version_mismatch
 */
export async function linkToManager(options: LinkOptions, signal?: AbortSignal): Promise<Link> {
  const paths = statePaths(options.home)
  const deadline = performance.now() + options.readyTimeoutMs
  let lock: LaunchLock | null = null
  let launchedAt = Number.NEGATIVE_INFINITY
  let launched = false
  let launching = false
  let lastReason = 'no manager is running'
  try {
    while (performance.now() < deadline) {
      signal?.throwIfAborted()
      const file = readManagerFile(paths.managerFile)
      if (file !== null && file.state === 'leading' && file.socket !== null) {
        const found = await tryLink(file.socket, file.instance_id, options)
        if (typeof found !== 'string') return { ...found, launched }
        lastReason = found
      }
      if (!options.launch) break
      if (performance.now() - launchedAt > candidateTimeoutMs) {
        lock?.release()
        lock = launchCandidate(options.home)
        launching = true
        if (lock !== null) {
          launched = true
          launchedAt = performance.now()
        }
      }
      const failure = launching ? readStartupError(paths.startupErrorFile) : null
      if (failure !== null) throw failure
      await delay(pollMs)
    }
  } finally {
    lock?.release()
  }
  throw new QueueError(
    'manager_unavailable',
    options.launch
      ? `the manager did not become ready within ${options.readyTimeoutMs / 1000} s (${lastReason}); its log is ${paths.managerLog}`
      : `no manager answers in ${options.home} (${lastReason})`,
    options.launch ? {} : { remedy: 'Run nightkiln manager start, or submit a job: that starts it.' },
  )
}

/** @returns the link, or the reason why there is none yet. */
async function tryLink(socket: string, instanceId: string, options: LinkOptions): Promise<Omit<Link, 'launched'> | string> {
  const connection = await openConnection(socket)
  try {
    const handshake = await shakeHands(connection, probeTimeoutMs)
    if (handshake.instance_id !== instanceId) throw new ConnectionLostError(`${socket} belongs to another state directory`, undefined)
    if (compareVersions(options.version, handshake.version) > 0 && options.launch) {
      await connection.post('stop_manager', JSON.stringify({ reason: 'handover' }))
      await connection.close()
      return `manager ${handshake.version} hands over to ${options.version}`
    }
    if (handshake.oldest_api_version > apiVersion || handshake.api_version < apiVersion) {
      throw new QueueError(
        'version_mismatch',
        `this is Nightkiln ${options.version} (API ${apiVersion}); the manager is ${handshake.version} (API ${handshake.oldest_api_version} to ${handshake.api_version})`,
      )
    }
    if (handshake.state === 'draining') throw new ConnectionLostError('the manager is stopping', undefined)
    return { connection, handshake }
  } catch (error) {
    await connection.close()
    if (error instanceof ConnectionLostError) return error.message
    throw error
  }
}
