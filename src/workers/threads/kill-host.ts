import { setTimeout as sleep } from 'node:timers/promises'
import type { ProcessIdentity } from '../../platform/process-identity.ts'
import { signal } from '../end-tree.ts'
import type { HostContext } from './host-context.ts'

const lookMs = 10
const slowMs = 1_000
/** A process that waits in the kernel for a disk may take long to go. */
const patienceMs = 5_000

/** Kills the process of a host, and only it; resolves when it is gone, however long that takes, or when detached. */
export async function killHost(context: HostContext, identity: ProcessIdentity): Promise<void> {
  const { clock, table, log } = context
  const begun = clock.monotonic()
  let isReported = false
  while (!context.detached()) {
    try {
      const facts = table.find(identity.pid)
      if (facts?.startTime !== identity.startTime) return
      signal(table, facts, 'SIGKILL')
    } catch {
      // Not to be told now: looked at again.
    }
    const isLate = clock.monotonic() - begun > patienceMs
    if (isLate && !isReported) log.error({ pid: identity.pid }, 'a thread host does not go; waiting until it does')
    isReported ||= isLate
    await sleep(isLate ? slowMs : lookMs)
  }
}
