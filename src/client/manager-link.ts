import { setTimeout as delay } from 'node:timers/promises'
import { statePaths } from '../config/paths.ts'
import { QueueError } from '../domain/errors.ts'
import type { HandshakeAnswer } from '../domain/wire/manager.ts'
import { apiVersion } from '../domain/wire/shared.ts'
import { type Connection, ConnectionLostError, openConnection, shakeHands } from './connection.ts'
import { type Launch, launchCandidate, maySucceed } from './launcher.ts'
import { readManagerFile } from './manager-file.ts'
import { readStartupError } from './startup-error.ts'
import { compareVersions } from './versions.ts'

export interface LinkOptions {
  readonly home: string
  readonly version: string
  /** False: never start a manager. */
  readonly launch: boolean
  /** True: a manager that is older than `version` is asked, once, to hand over. */
  readonly replaceOlder: boolean
  /** Longest search for a manager that answers, ms. */
  readonly readyTimeoutMs: number
}

export interface Link {
  readonly connection: Connection
  readonly handshake: HandshakeAnswer
  /** True when this call started the manager. */
  readonly launched: boolean
  /** True when this call asked an older manager to hand over. */
  readonly replacedOlder: boolean
}

type Attempt =
  | { readonly kind: 'linked'; readonly connection: Connection; readonly handshake: HandshakeAnswer }
  /** Alive, but about to end: its successor is waited for. */
  | { readonly kind: 'stopping' | 'asked_to_hand_over'; readonly reason: string }
  | { readonly kind: 'silent'; readonly reason: string }

/** Patience for a handshake doubles with every silence, so that on a loaded machine clients do not give up in turns for ever. */
const firstProbeMs = 1_000
const longestProbeMs = 8_000
/** Whoever launched looks often; the others back off, so that a crowd leaves the processor to the manager that is starting. */
const launcherPollMs = 10
const longestPollMs = 250
const stoppingPollMs = 40
/** A candidate that has not become ready by then is presumed stuck, and another is started. */
const candidateTimeoutMs = 6_000
/** Pause before the next candidate when one has died; doubles up to the longest. */
const firstRelaunchMs = 50
const longestRelaunchMs = 2_000

/**
 * Finds the manager of a state directory, or launches it, once among any number of racing callers, and waits until it is ready.
 * A manager that does not answer is replaced by the candidate itself, which probes it again before it kills anything.
 * @throws QueueError manager_unavailable, version_mismatch
 */
export async function linkToManager(options: LinkOptions, signal?: AbortSignal): Promise<Link> {
  const paths = statePaths(options.home)
  const deadline = performance.now() + options.readyTimeoutMs
  let launch: Launch | null = null
  let launches = 0
  let launchedAt = Number.NEGATIVE_INFINITY
  let launching = false
  let replacedOlder = false
  let lastReason = 'no manager is running'
  let pollMs = launcherPollMs
  let probeMs = firstProbeMs
  const mayLaunch = (): boolean => {
    const age = performance.now() - launchedAt
    if (launch?.hasEnded() === true) return age > Math.min(longestRelaunchMs, firstRelaunchMs * 2 ** (launches - 1))
    return age > candidateTimeoutMs
  }
  try {
    while (performance.now() < deadline) {
      signal?.throwIfAborted()
      const file = readManagerFile(paths.managerFile)
      let found: Attempt | null = null
      if (file !== null && file.state === 'leading' && file.socket !== null) {
        const linkOptions = { ...options, replaceOlder: options.replaceOlder && !replacedOlder }
        found = await tryLink(file.socket, file.instance_id, linkOptions, probeMs)
        if (found.kind === 'linked') {
          return { connection: found.connection, handshake: found.handshake, launched: launches > 0, replacedOlder }
        }
        if (found.kind === 'asked_to_hand_over') replacedOlder = true
        lastReason = found.reason
        probeMs = Math.min(probeMs * 2, longestProbeMs)
      }
      if (!options.launch) break
      const isStopping = found !== null && found.kind !== 'silent'
      if (!isStopping && mayLaunch()) {
        launch?.release()
        launch = launchCandidate(options.home)
        launching = true
        if (launch !== null) {
          launches += 1
          launchedAt = performance.now()
        }
      }
      const failure = launching ? readStartupError(paths.startupErrorFile) : null
      if (failure !== null) throw failure
      const waitMs = launch === null ? pollMs * (0.5 + Math.random()) : launcherPollMs
      await delay(isStopping ? stoppingPollMs : waitMs)
      pollMs = Math.min(pollMs * 1.5, longestPollMs)
    }
  } finally {
    launch?.release()
  }
  throw new QueueError(
    'manager_unavailable',
    options.launch
      ? `the manager did not become ready within ${options.readyTimeoutMs / 1000} s (${lastReason}); its log is ${paths.managerLog}`
      : `no manager answers in ${options.home} (${lastReason})`,
    options.launch ? {} : { remedy: 'Run nightkiln manager start, or submit a job: that starts it.' },
  )
}

/** Asks the manager at a socket whether it can be used; every other connection than a usable one is closed. */
async function tryLink(socket: string, instanceId: string, options: LinkOptions, probeMs: number): Promise<Attempt> {
  const connection = await openConnection(socket)
  let usable = false
  try {
    const handshake = await shakeHands(connection, probeMs)
    if (handshake.instance_id !== instanceId)
      return { kind: 'silent', reason: `${socket} belongs to another state directory` }
    // Who starts no manager can still look at one that is about to end.
    if (handshake.state === 'draining' && options.launch) return { kind: 'stopping', reason: 'the manager is stopping' }
    if (options.launch && options.replaceOlder && isOlder(handshake, options)) {
      await connection.post('stop_manager', JSON.stringify({ reason: 'handover' }))
      return { kind: 'asked_to_hand_over', reason: `manager ${handshake.version} hands over to ${options.version}` }
    }
    if (handshake.oldest_api_version > apiVersion || handshake.api_version < apiVersion) {
      throw new QueueError(
        'version_mismatch',
        `this is Nightkiln ${options.version} (API ${apiVersion}); the manager is ${handshake.version} (API ${handshake.oldest_api_version} to ${handshake.api_version})`,
      )
    }
    usable = true
    return { kind: 'linked', connection, handshake }
  } catch (error) {
    if (error instanceof ConnectionLostError) return { kind: 'silent', reason: error.message }
    throw error
  } finally {
    if (!usable) await connection.close()
  }
}

function isOlder(running: HandshakeAnswer, { home, version }: LinkOptions): boolean {
  return compareVersions(version, running.version) > 0 && maySucceed(home, running.version)
}
