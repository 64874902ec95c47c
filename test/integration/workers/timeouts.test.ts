import { expect, test } from 'vitest'
import { isAlive } from '../../support/proc.ts'
import { pidIn, recordObserver, useExecutor } from './executor-harness.ts'
import { movedClock } from './moved-clock.ts'

async function running(script: string, limits: { unitTimeoutMs?: number; idleTimeoutMs?: number }) {
  const clock = movedClock()
  const harness = useExecutor({ clock })
  const observer = recordObserver()
  const task = harness.task(script, { cancelGraceMs: 300, ...limits })
  const command = harness.executor.start(task, observer)
  const pid = await pidIn(harness, 'ready')
  return { clock, harness, observer, task, command, pid }
}

test('a command longer than its timeout is ended with its tree and told as timed out', async () => {
  const { clock, observer, harness, task, pid } = await running('setsid sleep 600 & echo $$ >ready; sleep 600', {
    unitTimeoutMs: 3_600_000,
  })
  clock.jumpWall(7_200_000)
  clock.moveMonotonic(3_500_000)
  expect(observer.ends).toEqual([])
  clock.moveMonotonic(100_000)
  const end = await observer.end()
  expect(end).toMatchObject({ kind: 'timed_out', which: 'unit', limitMs: 3_600_000 })
  expect(end.elapsedMs).toBeGreaterThanOrEqual(3_600_000)
  expect([isAlive(pid), harness.marked(task)]).toEqual([false, []])
})

test('a silent command is ended after its idle timeout, one that speaks is not', async () => {
  const silent = await running('echo hello; echo $$ >ready; sleep 600', { idleTimeoutMs: 60_000 })
  await expect.poll(() => silent.observer.progress.length).toBe(1)
  silent.clock.moveMonotonic(61_000)
  expect(await silent.observer.end()).toMatchObject({ kind: 'timed_out', which: 'idle', limitMs: 60_000 })

  const chatty = await running('echo $$ >ready; while :; do echo tick; sleep 0.01; done', { idleTimeoutMs: 60_000 })
  for (let minutes = 0; minutes < 3; minutes++) {
    const seen = chatty.observer.progress.length
    chatty.clock.moveMonotonic(50_000)
    // Progress is told only when output was seen again.
    await expect.poll(() => chatty.observer.progress.length > seen || chatty.observer.ends.length > 0).toBe(true)
    if (minutes === 2) expect(chatty.observer.ends).toEqual([])
  }
  chatty.command.stop('cancel')
  expect(await chatty.observer.end()).toMatchObject({ kind: 'stopped' })
})

test('time that the attempt used before counts', async () => {
  const clock = movedClock()
  const harness = useExecutor({ clock })
  const observer = recordObserver()
  harness.executor.start(
    harness.task('sleep 600', { elapsedMs: 999_000, unitTimeoutMs: 999_100, cancelGraceMs: 100 }),
    observer,
  )
  expect(await observer.end()).toMatchObject({ kind: 'timed_out', which: 'unit' })
})
