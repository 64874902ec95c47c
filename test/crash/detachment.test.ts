import { describe, expect, test } from 'vitest'
import { countRuns, readLedger } from '../support/ledger-command.ts'
import { readManagerFile } from '../support/manager-process.ts'
import { connectStdio, type McpStdioClient } from '../support/mcp-stdio-client.ts'
import { isAlive, readStat } from '../support/proc.ts'
import { distMain } from '../support/repository.ts'
import { waitUntil } from '../support/wait-until.ts'
import { gatedCommand } from './support-a/gated-command.ts'
import { type Scenario, useScenario } from './support-a/scenario.ts'

/** A front end that leads its own session and process group, as a client's window gives it. */
function connectDetached(scenario: Scenario): Promise<McpStdioClient> {
  return connectStdio({
    environment: scenario.environment,
    ledger: scenario.ledger,
    cwd: scenario.directory,
    command: ['setsid', process.execPath, distMain, 'mcp'],
  })
}

interface Submitted {
  readonly id: string
}
interface Status {
  readonly jobs: readonly {
    readonly state: string
    readonly attempts: number
    readonly result: { readonly untrusted_output_tail: string }
  }[]
}

/** Submits a command, makes the front end vanish while it runs, and looks through a new one. */
async function vanish(end: (frontEnd: McpStdioClient) => Promise<void> | void): Promise<void> {
  const scenario = useScenario()
  const { home, directory, ledger } = scenario
  const command = gatedCommand(directory, 'detached')
  const first = await connectDetached(scenario)
  expect(readStat(first.pid)?.group).toBe(first.pid)
  const { id } = await first.callOk<Submitted>('submit_job', { ...command.job })
  await command.started()
  const manager = readManagerFile(home)

  await end(first)
  await waitUntil(() => !isAlive(first.pid), { timeoutMs: 1_500, what: 'the front end to be gone' })

  // Only now may the command go on: it ran while its front end vanished.
  expect(countRuns(readLedger(directory)).get('detached')).toEqual({ starts: 1, ends: 0 })
  command.open()
  await command.ended()
  await first.close().catch(() => undefined)

  const second = await connectDetached(scenario)
  await second.callOk('wait_for_jobs', { ids: [id], timeout_s: 10 })
  const status = await second.callOk<Status>('job_status', { ids: [id] })
  expect(status.jobs).toHaveLength(1)
  expect(status.jobs[0]).toMatchObject({ state: 'completed', attempts: 1 })
  expect(status.jobs[0]?.result.untrusted_output_tail).toContain('result detached')
  expect(countRuns(readLedger(directory)).get('detached')).toEqual({ starts: 1, ends: 1 })
  expect(readManagerFile(home)?.pid, 'the manager outlives its front ends').toBe(manager?.pid)
  await second.close()
  await scenario.end()
  await ledger.assertNothingLeft()
}

describe('a running command outlives its front end', () => {
  for (const signal of ['SIGKILL', 'SIGHUP', 'SIGTERM'] as const) {
    test(`${signal} to the front end's process group`, () =>
      vanish((frontEnd) => void process.kill(-frontEnd.pid, signal)))
  }

  // The transport ends stdin first and sends signals only after two seconds; by then it must be gone.
  test('closing stdin', () => vanish((frontEnd) => void frontEnd.close()))
})
