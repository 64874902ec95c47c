import { spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { bootId } from '../../../src/platform/process-identity.ts'
import { stretched } from '../../support/machine-speed.ts'
import { isAlive } from '../../support/proc.ts'
import { waitUntil } from '../../support/wait-until.ts'
import { type Harness, pidIn, recordObserver, useExecutor } from './executor-harness.ts'
import { startUnder } from './start-under.ts'

/** A shell that waits for a file before it becomes the real one. */
function slowShell(harness: Harness): { path: string; release: () => void } {
  const path = join(harness.home, 'slow-shell')
  const go = join(harness.home, 'go')
  writeFileSync(path, `#!/bin/sh\nwhile [ ! -e '${go}' ]; do /bin/sleep 0.02; done\nexec /bin/sh "$@"\n`)
  chmodSync(path, 0o755)
  return { path, release: () => writeFileSync(go, '') }
}

const counted = 'echo run >>runs; echo $$ >ready; while [ ! -e finish ]; do sleep 0.02; done; echo done; exit 5'

function runs(harness: Harness): number {
  return existsSync(join(harness.work, 'runs')) ? harness.read('runs').trim().split('\n').length : 0
}

test('a running command is adopted: it goes on, and its exit is told once', async () => {
  const harness = useExecutor()
  const task = harness.task(counted)
  const manager = startUnder(harness, task)
  const runner = await manager.runner()
  await pidIn(harness, 'ready')
  await manager.kill()

  const observer = recordObserver()
  const command = harness.executor.adopt(task, runner, observer)
  await expect.poll(() => command.elapsedMs()).toBeGreaterThan(20)
  expect(observer.ends).toEqual([])
  writeFileSync(join(harness.work, 'finish'), '')
  const asked = performance.now()
  expect(await observer.end()).toMatchObject({ kind: 'exited', exitCode: 5, output: { tail: 'done\n' } })
  expect(performance.now() - asked).toBeLessThan(await stretched(900))
  expect(observer.ends).toHaveLength(1)
  expect(observer.runners).toEqual([])
  expect([runs(harness), harness.marked(task)]).toEqual([1, []])
})

test('the clock of an attempt goes on over a change of managers', async () => {
  const harness = useExecutor()
  const task = harness.task(counted)
  const first = harness.another()
  const observer = recordObserver()
  const before = first.start(task, observer)
  const runner = await observer.runner()
  await expect.poll(() => before.elapsedMs()).toBeGreaterThan(300)
  first.detach()
  const adopted = harness.executor.adopt(task, runner, recordObserver())
  await expect.poll(() => adopted.elapsedMs(), { timeout: 200 }).toBeGreaterThan(300)
  adopted.stop('cancel')
})

test('killed after the spawn and before its pid was told: found by its pid file, adopted, not run again', async () => {
  const harness = useExecutor()
  const task = harness.task(counted)
  await startUnder(harness, task, { dieAt: 'runner.after_spawn' }).death()
  await pidIn(harness, 'ready')

  const observer = recordObserver()
  harness.executor.adopt(task, null, observer)
  expect(isAlive((await observer.runner()).pid)).toBe(true)
  writeFileSync(join(harness.work, 'finish'), '')
  expect(await observer.end()).toMatchObject({ kind: 'exited', exitCode: 5 })
  expect(runs(harness)).toBe(1)
})

test('killed before the spawn: released, nothing ran', async () => {
  const harness = useExecutor()
  const task = harness.task(counted)
  await startUnder(harness, task, { dieAt: 'runner.before_spawn' }).death()
  const observer = recordObserver()
  harness.executor.adopt(task, null, observer)
  expect(await observer.end()).toMatchObject({ kind: 'released' })
  expect(runs(harness)).toBe(0)
})

test('an attempt of which there is no directory at all is released, and can never run', async () => {
  const harness = useExecutor()
  const task = harness.task(counted)
  const observer = recordObserver()
  harness.executor.adopt(task, null, observer)
  expect(await observer.end()).toMatchObject({ kind: 'released' })
  const late = recordObserver()
  harness.executor.start(task, late)
  expect(await late.end()).toMatchObject({ kind: 'released' })
  expect(runs(harness)).toBe(0)
})

test('a slow shell that has not taken the gate is revoked: released, and the command never runs', async () => {
  const harness = useExecutor()
  const shell = slowShell(harness)
  const task = harness.task(counted)
  await startUnder(harness, task, { shell: shell.path, dieAt: 'runner.after_spawn' }).death()
  const observer = recordObserver()
  harness.executor.adopt(task, null, observer)
  expect(await observer.end()).toMatchObject({ kind: 'released' })
  shell.release()
  expect(harness.marked(task)).toEqual([])
  expect(runs(harness)).toBe(0)
})

test('a revoked runner that was not even found loses the gate', async () => {
  const harness = useExecutor()
  const shell = slowShell(harness)
  const task = harness.task(counted)
  const observer = recordObserver()
  harness.another({ shell: shell.path }).start(task, observer)
  await observer.runner()
  // Another manager, of which the runner's processes are hidden.
  const revoker = recordObserver()
  const blind = { list: () => [], find: () => null, marksOf: () => null }
  harness.another({ processTable: blind }).adopt(task, null, revoker)
  expect(await revoker.end()).toMatchObject({ kind: 'released' })
  shell.release()
  expect(await observer.end()).toMatchObject({ kind: 'released' })
  expect(runs(harness)).toBe(0)
})

test('a command that ended while no manager was there has its exit recorded', async () => {
  const harness = useExecutor()
  const task = harness.task(counted)
  const manager = startUnder(harness, task)
  const runner = await manager.runner()
  await pidIn(harness, 'ready')
  await manager.kill()
  writeFileSync(join(harness.work, 'finish'), '')
  await waitUntil(() => !isAlive(runner.pid))
  const observer = recordObserver()
  harness.executor.adopt(task, runner, observer)
  expect(await observer.end()).toMatchObject({ kind: 'exited', exitCode: 5, output: { tail: 'done\n' } })
  expect(runs(harness)).toBe(1)
})

test('killed between the exit file and its record: told once more by the next manager', async () => {
  const harness = useExecutor()
  const task = harness.task('echo run >>runs; exit 5')
  const manager = startUnder(harness, task, { dieAt: 'runner.exit_seen' })
  await manager.death()
  expect(manager.text()).not.toContain('ended')
  const observer = recordObserver()
  harness.executor.adopt(task, await manager.runner(), observer)
  expect(await observer.end()).toMatchObject({ kind: 'exited', exitCode: 5 })
  expect(runs(harness)).toBe(1)
})

test('manager and runner killed at once: what still carries the mark is ended, then lost', async () => {
  const harness = useExecutor()
  const task = harness.task(`setsid sleep 600 & echo $! >daemon; ${counted}`)
  const manager = startUnder(harness, task)
  const runner = await manager.runner()
  const pid = await pidIn(harness, 'ready')
  await manager.kill()
  process.kill(runner.pid, 'SIGKILL')
  await waitUntil(() => !isAlive(runner.pid))
  expect(isAlive(pid)).toBe(true)
  const observer = recordObserver()
  harness.executor.adopt(task, runner, observer)
  expect(await observer.end()).toMatchObject({ kind: 'lost', countsAsCrash: true })
  expect([isAlive(pid), harness.marked(task)]).toEqual([false, []])
})

test('after a reboot an exit file is not trusted, a reused pid is not signalled: lost', async () => {
  const harness = useExecutor()
  const task = harness.task(counted)
  const innocent = spawn('/bin/sleep', ['600'])
  onTestFinished(() => void innocent.kill('SIGKILL'))
  const pid = innocent.pid ?? 0
  const directory = harness.directory(task)
  mkdirSync(join(directory, 'gate'), { recursive: true })
  writeFileSync(join(directory, 'pid'), `pid ${pid} other-boot -\n`)
  writeFileSync(join(directory, 'exit'), 'exit 0 other-boot\n')
  writeFileSync(join(directory, 'output'), 'half')
  const observer = recordObserver()
  harness.executor.adopt(task, { pid, startTime: '1', bootId: 'other-boot' }, observer)
  expect(await observer.end()).toMatchObject({ kind: 'lost', countsAsCrash: false, output: { tail: 'half' } })
  expect(isAlive(pid)).toBe(true)
})

test('a pid of this boot with another start time is a stranger: it and its group are not signalled', async () => {
  const harness = useExecutor()
  const task = harness.task(counted)
  const innocent = spawn('/bin/sh', ['-c', 'sleep 600 & wait'], { detached: true })
  const pid = innocent.pid ?? 0
  onTestFinished(() => void process.kill(-pid, 'SIGKILL'))
  const directory = harness.directory(task)
  mkdirSync(join(directory, 'gate'), { recursive: true })
  writeFileSync(join(directory, 'output'), '')
  const observer = recordObserver()
  harness.executor.adopt(task, { pid, startTime: '1', bootId: bootId() }, observer)
  expect(await observer.end()).toMatchObject({ kind: 'lost', countsAsCrash: true })
  expect(isAlive(pid)).toBe(true)
})

test('half an exit file is none', async () => {
  const harness = useExecutor()
  const task = harness.task(counted)
  const directory = harness.directory(task)
  mkdirSync(join(directory, 'gate'), { recursive: true })
  writeFileSync(join(directory, 'output'), '')
  writeFileSync(join(directory, 'exit'), `exit 0`)
  const observer = recordObserver()
  harness.executor.adopt(task, null, observer)
  expect(await observer.end()).toMatchObject({ kind: 'lost' })
})

test('a cancel that its manager did not live to finish is finished by the next one', async () => {
  const harness = useExecutor()
  const task = harness.task(`trap "" TERM; ${counted}`, { cancelGraceMs: 600 })
  const manager = startUnder(harness, task, { stopAfterMs: 0 })
  const runner = await manager.runner()
  await waitUntil(() => readFileSync(join(harness.directory(task), 'stop'), 'utf8'), { intervalMs: 5 })
  await manager.kill()
  const observer = recordObserver()
  harness.executor.adopt(task, runner, observer)
  expect(await observer.end()).toMatchObject({ kind: 'stopped', reason: 'cancel', survivors: [] })
  expect(harness.marked(task)).toEqual([])
})

test('detach leaves the command alone and tells nothing any more', async () => {
  const harness = useExecutor()
  const task = harness.task(counted)
  const first = harness.another()
  const left = recordObserver()
  first.start(task, left)
  const pid = await pidIn(harness, 'ready')
  first.detach()
  const observer = recordObserver()
  harness.executor.adopt(task, await left.runner(), observer)
  writeFileSync(join(harness.work, 'finish'), '')
  expect(await observer.end()).toMatchObject({ kind: 'exited', exitCode: 5 })
  expect([left.ends, isAlive(pid)]).toEqual([[], false])
})
