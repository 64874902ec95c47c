import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { makeDirectory } from '../../platform/make-directory.ts'
import { SpawnFailure } from '../launch-runner.ts'
import type { HostContext } from './host-context.ts'
import { hostFiles, hostSocket } from './host-files.ts'
import type { HostOrder } from './protocol.ts'

/** The descriptor on which a host says, by one byte, that it listens. */
const readyDescriptor = 3

export interface LaunchedHost {
  readonly child: ChildProcess
  readonly pid: number
  readonly socket: string
  /** Resolves when it listens; also when it never will. */
  readonly ready: Promise<boolean>
}

/**
 * Starts the process of a host, detached: its own session, its output in its own directory, no pipe that its life hangs on.
 * @throws SpawnFailure when no process could be started; the system's error when its directory cannot be made
 */
export async function launchHost(context: HostContext, hostId: string, alone: boolean): Promise<LaunchedHost> {
  const directory = join(context.paths.hosts, hostId)
  makeDirectory(directory)
  const socket = hostSocket(context.paths, hostId)
  const order = JSON.stringify(orderOf(context, { hostId, directory, socket, alone }))
  const log = openSync(join(directory, hostFiles.log), 'a', 0o600)
  let child: ChildProcess
  try {
    child = spawn(process.execPath, [context.entry, order], {
      cwd: context.paths.home,
      env: environmentOf(context, hostId),
      detached: true,
      stdio: ['ignore', log, log, 'pipe'],
      windowsHide: true,
    })
  } catch (error) {
    throw new SpawnFailure(error)
  } finally {
    closeSync(log)
  }
  if (child.pid === undefined) {
    const [error] = (await once(child, 'error')) as [Error]
    throw new SpawnFailure(error)
  }
  child.on('error', () => {
    // Only kill() and send() report here later; neither is used.
  })
  child.unref()
  return { child, pid: child.pid, socket, ready: readiness(child.stdio[readyDescriptor] as Readable) }
}

function readiness(pipe: Readable): Promise<boolean> {
  return new Promise((resolve) => {
    const finish = (isReady: boolean): void => {
      pipe.destroy()
      resolve(isReady)
    }
    pipe.once('data', () => finish(true))
    pipe.once('end', () => finish(false))
    pipe.once('error', () => finish(false))
  })
}

function orderOf(
  { paths, instanceId, bootId, version, settings }: HostContext,
  host: { readonly hostId: string; readonly directory: string; readonly socket: string; readonly alone: boolean },
): HostOrder {
  return {
    host_id: host.hostId,
    directory: host.directory,
    socket: host.socket,
    home: paths.home,
    attempts: paths.attempts,
    instance_id: instanceId,
    boot_id: bootId,
    version,
    threads: host.alone ? 1 : settings.threads,
    alone: host.alone,
    memory_bytes: settings.memoryBytes,
    terminate_ms: settings.terminateMs,
    unclaimed_ms: settings.unclaimedMs,
  }
}

/** Its marks are inherited by whatever its handlers start by themselves, so that nothing of it is left behind. */
function environmentOf({ environment, instanceId, paths }: HostContext, hostId: string): Record<string, string> {
  return {
    ...environment,
    NIGHTKILN_HOME: paths.home,
    NIGHTKILN_PROCESS: 'host',
    NIGHTKILN_INSTANCE: instanceId,
    NIGHTKILN_HOST_ID: hostId,
  }
}
