import { expect, test } from 'vitest'
import { type HostMark, parseMarks } from '../../../src/workers/marks.ts'
import { treeMembers } from '../../../src/workers/process-tree.ts'

const mark: HostMark = { instanceId: 'i', hostId: 'h', attempts: new Set(['u.1.n']) }
const managerPid = 10
const hostPid = 100

interface Row {
  readonly pid: number
  readonly parent?: number
  readonly session?: number
  readonly marks?: readonly string[]
}

function members(rows: readonly Row[], watched = false): readonly number[] {
  const all: readonly Row[] = [{ pid: managerPid, session: 10, marks: ['PROCESS=manager'] }, ...rows]
  const processes = all.map(({ pid, parent = 1, session = pid }) => ({
    pid,
    parentPid: parent,
    sessionId: session,
    groupId: session,
    startTime: '2000',
  }))
  const scan = {
    processes: new Map(processes.map((one) => [one.pid, one])),
    marksOf: (pid: number) =>
      parseMarks((all.find((row) => row.pid === pid)?.marks ?? []).map((entry) => `NIGHTKILN_${entry}`)),
  }
  const root = { mark, runner: { pid: hostPid, startTime: '1000' }, watched, managerPid }
  return treeMembers(scan, root, new Map()).map(({ pid }) => pid)
}

const ofHost = ['INSTANCE=i', 'HOST_ID=h']
const ofAttempt = ['INSTANCE=i', 'ATTEMPT_UNIT=u', 'FENCE=1.n']

test('what a dead host left: by its mark, by those of its attempts, by its session and by descent', () => {
  const rows = [
    { pid: 101, marks: ofHost },
    { pid: 102, marks: [...ofHost, 'PROCESS=host'] },
    { pid: 103, marks: ofAttempt },
    { pid: 104, parent: 103 },
    { pid: 105, session: hostPid },
    { pid: 106 },
  ]
  expect(members(rows)).toEqual([101, 102, 103, 104])
  expect(members(rows, true)).toEqual([101, 102, 103, 104, 105])
})

test.each([
  ['another host', ['INSTANCE=i', 'HOST_ID=g', 'PROCESS=host']],
  ['a host of another state', ['INSTANCE=j', 'HOST_ID=h', 'PROCESS=host']],
  ['an attempt of another host', ['INSTANCE=i', 'ATTEMPT_UNIT=u', 'FENCE=2.n']],
  ['a manager, whatever it inherited', [...ofHost, 'PROCESS=manager']],
  ['a launcher', [...ofHost, 'PROCESS=launcher']],
])('%s is a stranger, and so is what it started', (_, marks) => {
  expect(
    members([
      { pid: 200, marks },
      { pid: 201, parent: 200 },
    ]),
  ).toEqual([])
})

test('a second manager is none of its own processes', () => {
  const rows = [
    { pid: 101, marks: ofHost },
    { pid: 200, parent: 101, marks: [...ofHost, 'PROCESS=manager'] },
    { pid: 201, parent: 200 },
  ]
  expect(members(rows)).toEqual([101])
})
