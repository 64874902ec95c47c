import { randomUUID } from 'node:crypto'
import { chmodSync, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { countRuns, readLedger } from '../support/ledger-command.ts'
import { allPids, commandLine } from '../support/proc.ts'
import { waitUntil } from '../support/wait-until.ts'
import { startFaultyManager } from './support-a/faulty-manager.ts'
import { gatedCommand } from './support-a/gated-command.ts'
import { outcomes, outputTail, type Scenario, useScenario } from './support-a/scenario.ts'

/** A shell whose runners start only once a file is there. `hidden`: it drops its marks, so that no search finds it. */
function slowShell(directory: string, hidden: boolean): { shell: string; release(): void; waiting(): number } {
  const shell = join(directory, 'slow-shell')
  const hide = hidden
    ? 'if [ -z "$HIDDEN" ]; then exec env -u NIGHTKILN_INSTANCE -u NIGHTKILN_ATTEMPT_UNIT -u NIGHTKILN_FENCE HIDDEN=1 "$0" "$@"; fi\n'
    : ''
  writeFileSync(
    shell,
    `#!/bin/sh\n[ "$NIGHTKILN_PROCESS" != launcher ] || exec /bin/sh "$@"\n${hide}until [ -e ${directory}/shell-may-start ]; do sleep 0.03; done\nexec /bin/sh "$@"\n`,
  )
  chmodSync(shell, 0o755)
  return {
    shell,
    release: () => writeFileSync(join(directory, 'shell-may-start'), ''),
    waiting: () => allPids().filter((pid) => commandLine(pid).startsWith(`/bin/sh ${shell} `)).length,
  }
}

/** One job, one key: killed where the point says while it is submitted, repeated by the client itself. */
async function submitAcross(point: string): Promise<void> {
  const scenario = useScenario()
  const { directory } = scenario
  const faulty = await startFaultyManager(scenario, `${point}=kill`)
  const client = scenario.client()
  const command = gatedCommand(directory, 'submitted')
  const key = randomUUID()
  const first = await scenario.submit(client, { ...command.job, idempotency_key: key })
  expect(await faulty.died()).toBe('SIGKILL')
  expect(faulty.wasReached(point)).toBe(true)
  // Before the commit nothing was stored, so the repetition made the job; after it the repetition found it.
  expect(first.existing).toBe(point === 'submit.after_commit')
  const again = await scenario.submit(client, { ...command.job, idempotency_key: key })
  expect(again).toMatchObject({ id: first.id, existing: true })
  command.open()
  const job = await scenario.endOf(client, first.id)
  expect(job.state).toBe('completed')
  expect(outcomes(job).filter((outcome) => outcome !== 'released')).toEqual(['completed'])
  const { jobs } = await client.call('list_jobs', {})
  expect(jobs).toHaveLength(1)
  expect(countRuns(readLedger(directory)).get('submitted')).toEqual({ starts: 1, ends: 1 })
  await scenario.end()
}

/** Kills at a point after the claim; the job must come to one outcome with one start. */
async function runAcross(
  scenario: Scenario,
  point: string,
  expected: readonly string[],
  afterDeath: () => Promise<void> | void = () => {},
) {
  const { directory } = scenario
  const faulty = await startFaultyManager(scenario, `${point}=kill`)
  const client = scenario.client()
  const command = gatedCommand(directory, 'crossed')
  command.open()
  const { id } = await scenario.submit(client, command.job)
  expect(await faulty.died()).toBe('SIGKILL')
  const next = await client.call('queue_status', {})
  expect(next.manager.epoch).toBeGreaterThan(faulty.file.epoch)
  await afterDeath()
  const job = await scenario.endOf(client, id)
  expect(job).toMatchObject({ state: 'completed', attempts: expected.length })
  expect(outcomes(job)).toEqual(expected)
  expect(outputTail(job)).toBe('result crossed\n')
  await scenario.end()
  expect(countRuns(readLedger(directory)).get('crossed'), 'judged when no process is left').toEqual({
    starts: 1,
    ends: 1,
  })
}

describe('the manager is killed', () => {
  test('before the commit of a submit', () => submitAcross('submit.before_commit'))

  test('after the commit of a submit, before its answer', () => submitAcross('submit.after_commit'))

  test('between claim and spawn: released, not charged, run once', () =>
    runAcross(useScenario(), 'claim.committed', ['released', 'completed']))

  test('right before the spawn: released, not charged, run once', () =>
    runAcross(useScenario(), 'runner.before_spawn', ['released', 'completed']))

  test('after the spawn, before the pid is recorded: the runner is found and adopted', () =>
    runAcross(useScenario(), 'runner.after_spawn', ['completed']))

  test('between the exit file and its commit: recorded once, not run again', () =>
    runAcross(useScenario(), 'runner.exit_seen', ['completed']))
})

describe('a runner whose shell is slow, its manager killed before the pid is recorded', () => {
  for (const hidden of [false, true]) {
    test(`${hidden ? 'not to be found by its mark' : 'found by its mark'}: the gate was taken, its command does not run`, async () => {
      const scenario = useScenario()
      const slow = slowShell(scenario.directory, hidden)
      const configured = join(scenario.home, 'config', 'config.json')
      writeFileSync(configured, JSON.stringify({ shell: slow.shell }))
      await runAcross(scenario, 'runner.after_spawn', ['released', 'completed'], async () => {
        // The second attempt's runner waits too; the first one's still does when nothing could find it.
        await waitUntil(() => slow.waiting() === (hidden ? 2 : 1), { what: 'the late runners to wait for their shell' })
        expect(existsSync(join(scenario.directory, 'ledger.txt'))).toBe(false)
        slow.release()
      })
    })
  }
})
