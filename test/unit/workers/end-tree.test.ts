import { expect, test } from 'vitest'
import { endTree } from '../../../src/workers/end-tree.ts'
import { createProcessScanner } from '../../../src/workers/process-scanner.ts'
import type { ProcessFacts, ProcessTable } from '../../../src/workers/process-table.ts'

const mark = { instanceId: 'i', unitId: 'u', fence: '1.n' }

/** Processes that nothing can end; `find` says gone, so that no real process is ever signalled. */
function tableOf(rows: readonly ProcessFacts[]): ProcessTable & { listings: number } {
  return {
    listings: 0,
    list() {
      this.listings++
      return rows
    },
    find: () => null,
    marksOf: () => ({ ...mark, role: null }),
  }
}

const immortal: ProcessFacts = { pid: 900_001, parentPid: 1, groupId: 900_001, sessionId: 900_001, startTime: '5' }

/** A clock that goes on by a step at each look. */
function steppingClock(stepMs: number) {
  let at = 0
  return {
    monotonic: () => {
      at += stepMs
      return at
    },
  }
}

const root = { mark, runner: null, watched: false, managerPid: process.pid }

test('what cannot be ended is named within 2 s after the grace', async () => {
  const table = tableOf([immortal])
  const clock = steppingClock(500)
  const killer = { table, scanner: createProcessScanner(table), clock, abandoned: () => false }
  expect(await endTree(killer, root, 3_000)).toEqual([immortal.pid])
  expect(clock.monotonic()).toBeLessThanOrEqual(6_000)
})

test('an empty table is looked at twice', async () => {
  const table = tableOf([])
  const killer = { table, scanner: createProcessScanner(table), clock: steppingClock(1), abandoned: () => false }
  expect(await endTree(killer, root, 3_000)).toEqual([])
  expect(table.listings).toBe(2)
})

test('abandoned half-way it says so and signals no more', async () => {
  const table = tableOf([immortal])
  const killer = {
    table,
    scanner: createProcessScanner(table),
    clock: steppingClock(1),
    abandoned: () => table.listings > 2,
  }
  await expect(endTree(killer, root, 3_000)).rejects.toThrow('abandoned')
  expect(table.listings).toBe(3)
})

test('scans asked for in the same moment are one', async () => {
  const table = tableOf([immortal])
  const scanner = createProcessScanner(table)
  const [one, two] = await Promise.all([scanner.scan(), scanner.scan()])
  await scanner.scan()
  expect([one === two, table.listings]).toEqual([true, 2])
})

test('while processes cannot be looked at none counts as gone, and no time runs out', async () => {
  let at = 0
  let left = 3
  const table: ProcessTable = {
    list() {
      left--
      // Longer than grace and patience together, were it counted.
      at += 60_000
      if (left >= 0) throw Object.assign(new Error('too many open files'), { code: 'EMFILE' })
      return [immortal]
    },
    find: () => null,
    marksOf: () => ({ ...mark, role: null }),
  }
  const clock = { monotonic: () => at }
  const killer = { table, scanner: createProcessScanner(table), clock, abandoned: () => false }
  let looks = 0
  const scan = () => {
    looks++
    return killer.scanner.scan()
  }
  const counting = { ...killer.scanner, scan }
  expect(await endTree({ ...killer, scanner: counting }, root, 90_000)).toEqual([immortal.pid])
  expect(looks).toBeGreaterThan(4)
})

test('a scan that can never be made is given up when it is abandoned', async () => {
  const table: ProcessTable = {
    list() {
      throw Object.assign(new Error('too many open files'), { code: 'ENFILE' })
    },
    find: () => null,
    marksOf: () => null,
  }
  let looks = 0
  const killer = { table, scanner: createProcessScanner(table), clock: steppingClock(1), abandoned: () => ++looks > 1 }
  await expect(endTree(killer, root, 0)).rejects.toThrow('abandoned')
})
