import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { CommandTask } from '../../../src/domain/ports/executor.ts'
import { stretched } from '../../support/machine-speed.ts'
import { isAlive, readStat } from '../../support/proc.ts'
import { waitUntil } from '../../support/wait-until.ts'
import { type Harness, pidIn, recordObserver, useExecutor } from './executor-harness.ts'
import { movedClock } from './moved-clock.ts'
import { startUnder } from './start-under.ts'

/** Writes a line to a ledger every few ms. */
const ticking = 'while :; do echo tick >>ledger; sleep 0.01; done'

function ledgerSize(harness: Harness, name = 'ledger'): number {
  return statSync(join(harness.work, name), { throwIfNoEntry: false })?.size ?? 0
}

/** Processes of the attempt that are not held. D: a parent that waits for its child after a vfork. */
function awake(harness: Harness, task: CommandTask, runner: number): readonly number[] {
  return harness.marked(task).filter((pid) => pid !== runner && !/[TD]/.test(readStat(pid)?.state ?? 'T'))
}

/** Nothing of the attempt but its runner is able to run, and its ledger does not grow while others run. */
async function expectStill(harness: Harness, task: CommandTask, runner: number, ledger = 'ledger'): Promise<void> {
  expect(awake(harness, task, runner)).toEqual([])
  const before = ledgerSize(harness, ledger)
  const asked = performance.now()
  await expect.poll(() => performance.now() - asked, { timeout: 2_000, interval: 50 }).toBeGreaterThan(300)
  expect(ledgerSize(harness, ledger)).toBe(before)
}

async function expectTicking(harness: Harness, ledger = 'ledger'): Promise<void> {
  const before = ledgerSize(harness, ledger)
  await waitUntil(() => ledgerSize(harness, ledger) > before, { what: `growth of ${ledger}` })
}

async function running(script: string, more: Partial<Omit<CommandTask, 'spec'>> = {}) {
  const clock = movedClock()
  const harness = useExecutor({ clock })
  const observer = recordObserver()
  const task = harness.task(`echo $$ >ready; ${script}`, { cancelGraceMs: 3_000, ...more })
  const command = harness.executor.start(task, observer)
  const pid = await pidIn(harness, 'ready')
  const runner = (await observer.runner()).pid
  await expectTicking(harness)
  return { clock, harness, observer, task, command, pid, runner }
}

test.for([
  ['that ticks', ticking],
  ['that ignores TSTP and TERM', `trap '' TSTP TERM; ${ticking}`],
  ['with children', `sh -c '${ticking}' & sh -c '${ticking}' & wait`],
  ['with a child in a session of its own', `setsid sh -c '${ticking}' & wait`],
  ['with a daemon, its parent gone', `(setsid sh -c '${ticking}' &); ${ticking.replaceAll('ledger', 'other')}`],
  ['with a child without an environment', `env -i PATH="$PATH" setsid -w sh -c '${ticking}'`],
  ['that forks on and on', `while :; do (echo tick >>ledger; sleep 0.05) & sleep 0.002; done`],
] as const)('a command %s stands still while it is frozen, and goes on', async ([, script]) => {
  const { harness, observer, task, command, runner } = await running(script)
  await command.freeze()
  await expectStill(harness, task, runner)
  expect(readStat(runner)?.state).toBe('S')
  await command.freeze()
  await expectStill(harness, task, runner)
  await command.thaw()
  await expectTicking(harness)
  await command.thaw()
  command.stop('cancel')
  expect(await observer.end()).toMatchObject({ kind: 'stopped', survivors: [] })
  expect(harness.marked(task)).toEqual([])
})

test('a parent with job control does not see its child stopped', async () => {
  const { harness, observer, command } = await running(
    `exec bash -c 'set -m; sh -c "while [ ! -e finish ]; do echo tick >>ledger; sleep 0.01; done; exit 3"; echo "code $?"'`,
  )
  for (let times = 0; times < 5; times++) {
    await command.freeze()
    await command.thaw()
    await expectTicking(harness)
  }
  writeFileSync(join(harness.work, 'finish'), '')
  expect(await observer.end()).toMatchObject({ kind: 'exited', exitCode: 0, output: { tail: 'code 3\n' } })
})

test('timeouts and the elapsed time stand still while it is frozen', async () => {
  const limits = { unitTimeoutMs: 3_600_000, idleTimeoutMs: 60_000 }
  const { clock, harness, observer, task, command, runner } = await running(ticking, limits)
  await command.freeze()
  const [elapsed, silent] = [command.elapsedMs(), command.silentMs()]
  clock.moveMonotonic(7_200_000)
  // Long enough for several looks at the timeouts.
  await expectStill(harness, task, runner)
  expect([command.elapsedMs(), command.silentMs()]).toEqual([elapsed, silent])
  expect(observer.ends).toEqual([])
  await command.thaw()
  await expectTicking(harness)
  expect(command.elapsedMs()).toBeLessThan(elapsed + 60_000)
  expect(observer.ends).toEqual([])
  clock.moveMonotonic(61_000)
  expect(await observer.end()).toMatchObject({ kind: 'timed_out', which: 'idle' })
})

test('a cancel of a frozen command lets it end in order, and leaves nothing', async () => {
  const { harness, observer, task, command } = await running(
    `setsid sh -c '${ticking}' & trap 'echo bye; exit 0' TERM; ${ticking}`,
    { cancelGraceMs: 10_000 },
  )
  await command.freeze()
  const asked = performance.now()
  command.stop('cancel')
  const end = await observer.end()
  expect(performance.now() - asked).toBeLessThan(await stretched(5_000))
  expect(end).toMatchObject({ kind: 'stopped', survivors: [], output: { tail: expect.stringContaining('bye\n') } })
  expect(harness.marked(task)).toEqual([])
})

test('a cancel of a frozen command that ignores TERM leaves nothing within 5 s', async () => {
  const { harness, observer, task, command } = await running(`trap '' TERM; setsid sh -c '${ticking}' & ${ticking}`)
  await command.freeze()
  const asked = performance.now()
  command.stop('cancel')
  expect(await observer.end()).toMatchObject({ kind: 'stopped', survivors: [] })
  expect(performance.now() - asked).toBeLessThan(await stretched(5_000))
  expect(harness.marked(task)).toEqual([])
})

test('a cancel while it is being frozen wins', async () => {
  const { harness, observer, task, command } = await running(`sh -c '${ticking}' & ${ticking}`)
  const freezing = command.freeze()
  command.stop('cancel')
  await freezing
  expect(await observer.end()).toMatchObject({ kind: 'stopped', survivors: [] })
  expect(harness.marked(task)).toEqual([])
})

test('of freeze and thaw in a row the last counts', async () => {
  const { harness, task, command, runner } = await running(ticking)
  await Promise.all([command.freeze(), command.thaw(), command.freeze()])
  await expectStill(harness, task, runner)
  await Promise.all([command.thaw(), command.freeze(), command.thaw()])
  await expectTicking(harness)
  command.stop('cancel')
})

test('a freeze before it runs is done when it does; a frozen command that is killed is told', async () => {
  const harness = useExecutor()
  const observer = recordObserver()
  const task = harness.task(`echo $$ >ready; ${ticking}`)
  const command = harness.executor.start(task, observer)
  await command.freeze()
  const runner = await observer.runner()
  await expectStill(harness, task, runner.pid)
  await command.thaw()
  const pid = await pidIn(harness, 'ready')
  await command.freeze()
  process.kill(pid, 'SIGKILL')
  expect(await observer.end()).toMatchObject({ kind: 'exited', exitCode: 137 })
  expect(harness.marked(task)).toEqual([])
  await command.thaw()
  await command.freeze()
})

test('a frozen command stays frozen under the next manager, which stops what somebody continued; its clock stands still', async () => {
  const clock = movedClock()
  const harness = useExecutor({ clock })
  const task = harness.task(`echo $$ >ready; ${ticking}`, { unitTimeoutMs: 3_600_000 })
  const manager = startUnder(harness, task, { freezeAfterMs: 200 })
  const runner = await manager.runner()
  const pid = await pidIn(harness, 'ready')
  await waitUntil(() => readStat(pid)?.state === 'T' && existsSync(join(harness.directory(task), 'clock')))
  await manager.kill()
  process.kill(pid, 'SIGCONT')
  clock.moveMonotonic(7_200_000)

  const observer = recordObserver()
  const command = harness.executor.adopt({ ...task, frozen: true }, runner, observer)
  await waitUntil(() => readStat(pid)?.state === 'T' && awake(harness, task, runner.pid).length === 0)
  await expectStill(harness, task, runner.pid)
  expect(command.elapsedMs()).toBeGreaterThan(100)
  expect(command.elapsedMs()).toBeLessThan(60_000)
  expect(observer.ends).toEqual([])
  await command.thaw()
  await expectTicking(harness)
  expect([command.elapsedMs() < 60_000, observer.ends]).toEqual([true, []])
  clock.moveMonotonic(3_600_000)
  expect(await observer.end()).toMatchObject({ kind: 'timed_out', which: 'unit' })
})

test('a thaw that its manager did not live to do is done by the next one', async () => {
  const harness = useExecutor()
  const task = harness.task(`echo $$ >ready; ${ticking}`)
  const manager = startUnder(harness, task, { freezeAfterMs: 0 })
  const runner = await manager.runner()
  const directory = harness.directory(task)
  await waitUntil(() => (JSON.parse(readFileSync(join(directory, 'clock'), 'utf8')) as { frozen: boolean }).frozen)
  await manager.kill()
  const observer = recordObserver()
  const command = harness.executor.adopt(task, runner, observer)
  await pidIn(harness, 'ready')
  await expectTicking(harness)
  command.stop('cancel')
  expect(await observer.end()).toMatchObject({ kind: 'stopped', survivors: [] })
})

test('a command that removed its attempt directory is frozen all the same', async () => {
  const { harness, task, command, runner } = await running(
    `rm -rf "$NIGHTKILN_HOME/attempts/$NIGHTKILN_ATTEMPT_UNIT.$NIGHTKILN_FENCE"; ${ticking}`,
  )
  await command.freeze()
  await expectStill(harness, task, runner)
  command.stop('cancel')
  rmSync(harness.directory(task), { recursive: true, force: true })
})

test('silence is counted from the last output', async () => {
  const { clock, command, observer, pid } = await running(`echo hello; ${ticking}`)
  await expect.poll(() => observer.progress.length).toBe(1)
  clock.moveMonotonic(50_000)
  await expect.poll(() => command.silentMs()).toBeGreaterThanOrEqual(50_000)
  expect(command.silentMs()).toBeLessThan(60_000)
  command.stop('cancel')
  await observer.end()
  expect(isAlive(pid)).toBe(false)
})
