import { describe, expect, test } from 'vitest'
import type { AttemptMark } from '../../../src/workers/marks.ts'
import type { ProcessScan } from '../../../src/workers/process-scanner.ts'
import type { ProcessFacts, ProcessMarks } from '../../../src/workers/process-table.ts'
import { type TreeRoot, treeMembers } from '../../../src/workers/process-tree.ts'

const mark: AttemptMark = { instanceId: 'i', unitId: 'u', fence: '1.n' }
const ours: ProcessMarks = { ...mark, role: null }
const unmarked: ProcessMarks = { instanceId: null, unitId: null, fence: null, role: null }
const managerPid = 10
const runner = { pid: 100, startTime: '1000' }

interface Row {
  readonly pid: number
  readonly parent?: number
  readonly session?: number
  readonly group?: number
  readonly start?: number
  readonly marks?: ProcessMarks
}

function scanOf(rows: readonly Row[]): ProcessScan {
  const all: readonly Row[] = [{ pid: 1, start: 1 }, { pid: managerPid, parent: 1, session: 10, start: 500 }, ...rows]
  const facts = all.map((row): [number, ProcessFacts] => [
    row.pid,
    {
      pid: row.pid,
      parentPid: row.parent ?? 1,
      sessionId: row.session ?? row.pid,
      groupId: row.group ?? row.session ?? row.pid,
      startTime: String(row.start ?? 2000),
    },
  ])
  return { processes: new Map(facts), marksOf: (pid) => all.find((row) => row.pid === pid)?.marks ?? null }
}

function members(rows: readonly Row[], root: Partial<TreeRoot> = {}, known = new Map<number, string>()) {
  const found = treeMembers(scanOf(rows), { mark, runner, watched: false, managerPid, ...root }, known)
  return found.map((one) => one.pid)
}

const runnerRow: Row = { pid: 100, parent: managerPid, start: 1000, marks: ours }

describe('who belongs to an attempt', () => {
  test('by mark, session, group and descent', () => {
    const rows = [
      runnerRow,
      { pid: 101, parent: 1, marks: ours },
      { pid: 102, parent: 1, session: 100 },
      { pid: 103, parent: 1, session: 7, group: 100 },
      { pid: 104, parent: 101 },
      { pid: 105, parent: 104 },
      { pid: 106, parent: 1 },
    ]
    expect(members(rows)).toEqual([100, 101, 102, 103, 104, 105])
  })

  test('another attempt, unit or instance is a stranger', () => {
    const others = [{ fence: '2.n' }, { fence: '1.m' }, { unitId: 'v' }, { instanceId: 'j' }]
    expect(members(others.map((other, at) => ({ pid: 200 + at, marks: { ...ours, ...other } })))).toEqual([])
  })

  test('our own processes never, nor what descends from them without the mark', () => {
    const rows = [
      runnerRow,
      { pid: 110, parent: 100, marks: { ...ours, role: 'manager' } },
      { pid: 111, parent: 110 },
      { pid: 112, parent: 110, marks: ours },
      { pid: 113, parent: 112 },
      { pid: 114, parent: 100, session: 100, marks: { ...unmarked, role: 'launcher' } },
      { pid: 115, parent: 114, session: 100 },
      { pid: 116, parent: 100, marks: { ...ours, role: 'host' } },
    ]
    expect(members(rows)).toEqual([100, 112, 113])
  })

  test('a role that the command gave its own child in the session of the runner protects nothing', () => {
    const rows = [
      runnerRow,
      { pid: 117, parent: 100, session: 100, marks: { ...ours, role: 'manager' } },
      { pid: 118, parent: 117, session: 100 },
    ]
    expect(members(rows)).toEqual([100, 117, 118])
  })

  test('neither the manager, nor its process group, nor init', () => {
    const rows = [{ pid: 120, session: 10, marks: ours }]
    expect(members(rows, { runner: { pid: managerPid, startTime: '500' } })).toEqual([])
  })

  test('a process older than the runner is a stranger, whatever its numbers', () => {
    expect(members([runnerRow, { pid: 130, session: 100, start: 999 }])).toEqual([100])
  })
})

describe('a session without its runner', () => {
  const orphan: Row = { pid: 140, session: 100 }

  test("is another's when the pid has a new owner", () => {
    expect(
      members(
        [
          { pid: 100, start: 3000 },
          { ...orphan, parent: 100 },
        ],
        { watched: true },
      ),
    ).toEqual([])
  })

  test('is not trusted after the runner vanished unseen', () => {
    expect(members([orphan])).toEqual([])
  })

  test('is trusted when the runner was watched until now, or a marked process proves it', () => {
    expect(members([orphan], { watched: true })).toEqual([140])
    expect(members([orphan, { pid: 141, session: 100, marks: ours }])).toEqual([140, 141])
  })
})

test('a member of an earlier scan stays one, when it is still the same process', () => {
  const known = new Map<number, string>()
  members([runnerRow, { pid: 150, parent: 100 }], {}, known)
  expect(members([{ pid: 150, parent: 1 }], {}, known)).toEqual([150])
  expect(members([{ pid: 150, parent: 1, start: 4000 }], {}, known)).toEqual([])
})
