import { expect, test } from 'vitest'
import { createProcessScanner } from '../../../src/workers/process-scanner.ts'
import type { ProcessFacts, ProcessTable } from '../../../src/workers/process-table.ts'
import { parsePs } from '../../../src/workers/process-table-ps.ts'
import { parentsFirst, TreeFreezer } from '../../../src/workers/tree-freezer.ts'

const facts = (pid: number, parentPid: number, more: Partial<ProcessFacts> = {}): ProcessFacts => ({
  pid,
  parentPid,
  groupId: pid,
  sessionId: pid,
  startTime: '5',
  ...more,
})

test('every process comes after its parent, whatever its pid; a circle is not followed', () => {
  const levels = parentsFirst([facts(3, 9), facts(9, 7), facts(7, 1), facts(4, 7)])
  expect(levels.map((level) => level.map((one) => one.pid))).toEqual([[7], [9, 4], [3]])
  expect(parentsFirst([facts(1, 2), facts(2, 1)])).toHaveLength(1)
  expect(parentsFirst([])).toEqual([])
})

/** Processes that are signalled by nobody: `find` says gone. */
function freezerOf(rows: () => readonly ProcessFacts[], monotonic: () => number) {
  const marks = { instanceId: 'i', unitId: 'u', fence: '1.n', role: null }
  const table: ProcessTable = { list: rows, find: () => null, marksOf: () => marks }
  const warnings: object[] = []
  const log = { debug: () => undefined, warn: (details: object) => void warnings.push(details), error: () => undefined }
  const freezer = new TreeFreezer({
    killer: { table, scanner: createProcessScanner(table), clock: { monotonic }, abandoned: () => false },
    root: () => ({ mark: marks, runner: null, watched: false, managerPid: process.pid }),
    isRunning: () => true,
    log,
    unitId: 'u',
  })
  return { freezer, warnings }
}

test('what does not stop is named, and not waited for endlessly', async () => {
  let at = 0
  const { freezer, warnings } = freezerOf(
    () => [facts(900_001, 1)],
    () => {
      at += 1_000
      return at
    },
  )
  await freezer.freeze()
  expect(warnings).toEqual([{ unit: 'u', pids: [900_001] }])
})

test('a process that waits in the kernel counts as still only when it was told', async () => {
  let looks = 0
  const { freezer, warnings } = freezerOf(
    () => {
      looks++
      return [facts(900_001, 1, { isUninterruptible: true })]
    },
    () => 0,
  )
  await freezer.freeze()
  expect([looks, warnings]).toEqual([3, []])
})

test('ps tells what is stopped too', () => {
  const line = (state: string) => `  7 1 7 0 ${state}    Mon Nov  2 10:00:00 2026 sleep 600`
  expect(parsePs(line('T+'))[0]?.facts.isStopped).toBe(true)
  expect(parsePs(line('U'))[0]?.facts).toMatchObject({ isUninterruptible: true })
  expect(parsePs(line('S'))[0]?.facts).not.toHaveProperty('isStopped')
})
