import { closeSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { writeFileAtomic } from '../../platform/atomic-file.ts'
import { ownIdentity } from '../../platform/process-identity.ts'
import { hostFiles } from '../threads/host-files.ts'
import { type HostOrder, type HostRecord, hostOrder, protocolVersion } from '../threads/protocol.ts'
import { Host } from './host.ts'
import { logLine } from './host-log.ts'

// Entry of the thread host: a process that runs the handlers of job types in its threads, and may be killed at any moment.

const readyPipe = 3

/** Where memory runs short, this goes before the manager does. */
function offerToOutOfMemoryKiller(): void {
  try {
    writeFileSync('/proc/self/oom_score_adj', '1000')
  } catch {
    // Not on this system, or not allowed.
  }
}

/** The threads' environment: what a handler starts past `ctx.spawn` is known as the host's, and not taken for it. */
function threadEnvironment(order: HostOrder): NodeJS.ProcessEnv {
  const { NIGHTKILN_PROCESS: _, ...environment } = process.env
  return {
    ...environment,
    NIGHTKILN_HOME: order.home,
    NIGHTKILN_INSTANCE: order.instance_id,
    NIGHTKILN_HOST_ID: order.host_id,
  }
}

function tellReady(): void {
  try {
    writeSync(readyPipe, '.')
    closeSync(readyPipe)
  } catch {
    // Whoever started it does not wait for it.
  }
}

function writeRecord(order: HostOrder): void {
  const { pid, startTime } = ownIdentity()
  const record: HostRecord = {
    host_id: order.host_id,
    pid,
    start_time: startTime,
    boot_id: order.boot_id,
    socket: order.socket,
    protocol: protocolVersion,
    version: order.version,
    alone: order.alone,
  }
  writeFileAtomic(join(order.directory, hostFiles.record), JSON.stringify(record))
}

const order = hostOrder.parse(JSON.parse(process.argv.at(-1) ?? ''))
offerToOutOfMemoryKiller()
const host = new Host(order, threadEnvironment(order))
process.on('SIGTERM', () => host.leave('told'))
process.on('SIGINT', () => undefined)
process.on('SIGHUP', () => undefined)
process.on('uncaughtException', (error) => logLine(`an error of the host: ${error.stack ?? error}`))
try {
  await host.start()
  writeRecord(order)
  tellReady()
} catch (error) {
  logLine(`the host cannot start: ${String(error)}`)
  process.exit(1)
}
