import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { isPassing } from '../attempt-access.ts'
import type { ProcessTable } from '../process-table.ts'
import type { DeadHostFacts } from './dead-host.ts'
import { type Greeting, greetHost } from './host-connection.ts'
import type { HostContext } from './host-context.ts'
import { readHostRecord } from './host-files.ts'
import { killHost } from './kill-host.ts'
import { type HostRecord, protocolVersion } from './protocol.ts'

type Welcome = Extract<Greeting, { kind: 'welcome' }>

export interface FoundHosts {
  readonly living: readonly { readonly record: HostRecord; readonly welcome: Welcome }[]
  readonly dead: readonly DeadHostFacts[]
}

/**
 * Looks for the hosts of earlier managers. What lives and answers is connected; what does not answer is killed by pid and
 * start time.
 * @throws the system's error when they cannot be looked for now
 */
export async function findHosts(context: HostContext): Promise<FoundHosts> {
  const living: { record: HostRecord; welcome: Welcome }[] = []
  const dead: DeadHostFacts[] = []
  await Promise.all(
    hostNames(context.paths.hosts).map(async (id) => {
      const found = await findHost(context, id)
      if ('welcome' in found) living.push(found)
      else dead.push(found)
    }),
  )
  return { living, dead }
}

function hostNames(folder: string): readonly string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true })
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
  } catch (error) {
    if (isPassing(error)) throw error
    return []
  }
}

async function findHost(
  context: HostContext,
  id: string,
): Promise<{ readonly record: HostRecord; readonly welcome: Welcome } | DeadHostFacts> {
  const { table, bootId, epoch, version, pace, log } = context
  const directory = join(context.paths.hosts, id)
  const record = readHostRecord(directory)
  const facts = {
    id,
    directory,
    socket: record?.socket ?? null,
    process: null,
    watched: false,
    otherBoot: false,
    endedFor: null,
    how: 'vanished',
    attempts: new Map(),
    told: new Set<string>(),
    unclaimed: new Map(),
    devices: new Map(),
  }
  if (record === null || record.host_id !== id) return facts
  // Of another boot, or of the original of a copied state directory.
  if (record.boot_id !== bootId) return { ...facts, otherBoot: true }
  const process = { pid: record.pid, startTime: record.start_time }
  const gone = { ...facts, process }
  if (!isOurs(table, process, id)) return gone
  const greeting: Greeting =
    record.protocol === protocolVersion
      ? await greetHost(record.socket, id, { epoch, version }, pace.greetMs)
      : { kind: 'mismatch' }
  if (greeting.kind === 'welcome') return { record, welcome: greeting }
  const why = greeting.kind === 'mismatch' ? 'it speaks another version of the protocol' : 'it did not answer'
  log.warn(
    { host: id, pid: process.pid, version: record.version },
    `a thread host of an earlier manager is ended: ${why}`,
  )
  await killHost(context, process)
  return { ...gone, endedFor: greeting.kind === 'mismatch' ? why : null, how: `was ended: ${why}` }
}

/** True when that very process lives and is, as far as can be told, the host. */
function isOurs(table: ProcessTable, { pid, startTime }: { pid: number; startTime: string }, id: string): boolean {
  if (table.find(pid)?.startTime !== startTime) return false
  const marks = table.marksOf(pid)
  return marks === null || marks.hostId === id
}
