import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { ManagerFile } from '../../../src/domain/wire/manager.ts'
import { startManager, waitForManager } from '../../support/manager-process.ts'
import { waitUntil } from '../../support/wait-until.ts'
import type { Scenario } from './scenario.ts'

export interface FaultyManager {
  readonly file: ManagerFile
  /** Waits until the named point was passed the wanted number of times. */
  reached(point: string): Promise<void>
  /** True when the point was passed. */
  wasReached(point: string): boolean
  /** Lets a manager go on that paused at a point. */
  goOn(point: string): void
  /** Waits for its death. @returns the signal that ended it */
  died(): Promise<NodeJS.Signals | null>
}

/**
 * Starts a manager with fault points and waits until it is ready. The managers after it have none: neither the client nor a
 * runner passes the fault on.
 * @param faults for example `submit.before_commit=kill`
 */
export async function startFaultyManager(scenario: Scenario, faults: string): Promise<FaultyManager> {
  const directory = mkdtempSync(join(tmpdir(), 'nk-fault-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const child = startManager({ ...scenario.environment, NIGHTKILN_FAULT: faults, NIGHTKILN_FAULT_DIRECTORY: directory })
  scenario.ledger.add(child.pid, { group: true })
  let end: { signal: NodeJS.Signals | null } | null = null
  child.once('exit', (_code, signal) => {
    end = { signal }
  })
  const file = await waitForManager(scenario.home)
  const wasReached = (point: string): boolean => existsSync(join(directory, `${point}.reached`))
  return {
    file,
    wasReached,
    reached: async (point) => {
      await waitUntil(() => wasReached(point), { what: `the manager to reach ${point}` })
    },
    goOn: (point) => writeFileSync(join(directory, `${point}.go`), ''),
    died: async () => (await waitUntil(() => end, { what: 'the manager to die' })).signal,
  }
}
