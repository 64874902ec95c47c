import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { ProcessTable } from '../../../src/workers/process-table.ts'
import { createSystemProcessTable } from '../../../src/workers/system-process-table.ts'
import { isAlive } from '../../support/proc.ts'
import { waitUntil } from '../../support/wait-until.ts'
import { pidIn, recordObserver, useExecutor } from './executor-harness.ts'
import { startUnder } from './start-under.ts'

/** The table of this system, which can be made to see nothing, as without a free descriptor. */
function blindable(): ProcessTable & { blind: boolean; refusals: number; successes: number } {
  const table = createSystemProcessTable()
  const look = <T>(action: () => T): T => {
    if (!self.blind) {
      self.successes++
      return action()
    }
    self.refusals++
    throw Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' })
  }
  const self = {
    blind: false,
    refusals: 0,
    successes: 0,
    list: () => look(() => table.list()),
    find: (pid: number) => look(() => table.find(pid)),
    marksOf: (pid: number) => look(() => table.marksOf(pid)),
  }
  return self
}

const endless = 'echo $$ >ready; while :; do sleep 0.05; done'

test('a cancel while processes cannot be seen is told only when they are gone', async () => {
  const table = blindable()
  const harness = useExecutor({ processTable: table })
  const observer = recordObserver()
  const task = harness.task(endless, { cancelGraceMs: 200 })
  const command = harness.executor.start(task, observer)
  const pid = await pidIn(harness, 'ready')
  await observer.runner()
  table.blind = true
  command.stop('cancel')
  await expect.poll(() => table.refusals, { timeout: 10_000 }).toBeGreaterThan(6)
  expect([observer.ends, isAlive(pid)]).toEqual([[], true])
  table.blind = false
  expect(await observer.end()).toMatchObject({ kind: 'stopped', reason: 'cancel', survivors: [] })
  expect([isAlive(pid), harness.marked(task)]).toEqual([false, []])
})

test('an adopted command whose process cannot be seen goes on, and its end is told once', async () => {
  const table = blindable()
  const harness = useExecutor({ processTable: table })
  const task = harness.task('echo $$ >ready; while [ ! -e finish ]; do sleep 0.05; done; exit 5')
  const manager = startUnder(harness, task)
  const runner = await manager.runner()
  const pid = await pidIn(harness, 'ready')
  await manager.kill()

  table.blind = true
  const observer = recordObserver()
  harness.executor.adopt(task, runner, observer)
  await expect.poll(() => table.refusals, { timeout: 10_000 }).toBeGreaterThan(1)
  table.blind = false
  // The next look succeeds and watches it; from then on looks at its life fail.
  await expect.poll(() => table.successes, { timeout: 10_000 }).toBeGreaterThan(0)
  table.blind = true
  const before = table.refusals
  await expect.poll(() => table.refusals, { timeout: 10_000 }).toBeGreaterThan(before + 1)
  expect([observer.ends, isAlive(pid)]).toEqual([[], true])
  table.blind = false
  writeFileSync(join(harness.work, 'finish'), '')
  expect(await observer.end()).toMatchObject({ kind: 'exited', exitCode: 5 })
  expect(observer.ends).toHaveLength(1)
})

test('a runner whose start time cannot be read at first is watched all the same, not told as never started', async () => {
  const table = blindable()
  const harness = useExecutor({ processTable: table })
  const observer = recordObserver()
  table.blind = true
  const task = harness.task('echo run >>runs; echo $$ >ready; while [ ! -e finish ]; do sleep 0.05; done')
  const command = harness.executor.start(task, observer)
  const pid = await pidIn(harness, 'ready')
  await expect.poll(() => table.refusals, { timeout: 10_000 }).toBeGreaterThan(1)
  expect([observer.ends, isAlive(pid)]).toEqual([[], true])
  table.blind = false
  expect((await observer.runner()).startTime).toMatch(/^\d+$/)
  command.stop('cancel')
  expect(await observer.end()).toMatchObject({ kind: 'stopped', survivors: [] })
  await waitUntil(() => !isAlive(pid))
})
