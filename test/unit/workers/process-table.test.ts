import { spawn } from 'node:child_process'
import { expect, onTestFinished, test } from 'vitest'
import { isLiving } from '../../../src/workers/process-table.ts'
import { createLinuxProcessTable, parseStat } from '../../../src/workers/process-table-linux.ts'
import { parsePs } from '../../../src/workers/process-table-ps.ts'
import { waitUntil } from '../../support/wait-until.ts'

const tail = '4194560 3039 43657 2 39 0 3 35 10 20 0 1 0 119473 5124096 908'

test('a line of stat is read past any command name', () => {
  const facts = { pid: 42, parentPid: 7, groupId: 40, sessionId: 41, startTime: '119473' }
  expect(parseStat(`42 (bash) S 7 40 41 0 -1 ${tail}`)).toEqual(facts)
  expect(parseStat(`42 (a) S 1 (b c) R 7 40 41 0 -1 ${tail}`)).toEqual(facts)
})

test('a zombie is gone, half a line is nothing', () => {
  expect(parseStat(`42 (bash) Z 7 40 41 0 -1 ${tail}`)).toBe(null)
  expect(parseStat('42 (bash) S 7')).toBe(null)
  expect(parseStat('')).toBe(null)
})

test.runIf(process.platform === 'linux')(
  'a real process is found with its marks, and gone when it is only a zombie',
  async () => {
    const table = createLinuxProcessTable()
    // The parent does not reap its child.
    const environment = { NIGHTKILN_ATTEMPT_UNIT: 'u', NIGHTKILN_FENCE: '1.x', LONG: 'x'.repeat(100_000) }
    const parent = spawn('/bin/sh', ['-c', 'sleep 0 & echo $!; exec sleep 600'], {
      env: { ...environment, PATH: '/usr/bin:/bin' },
    })
    onTestFinished(() => void parent.kill('SIGKILL'))
    let text = ''
    parent.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString()
    })
    const child = await waitUntil(() => Number(text) || null)
    await waitUntil(() => table.find(child) === null)
    const facts = table.find(parent.pid ?? 0)
    expect(facts).toMatchObject({ pid: parent.pid, parentPid: process.pid })
    expect(table.list()).toContainEqual(facts)
    expect(table.list().some((one) => one.pid === child)).toBe(false)
    expect(table.marksOf(parent.pid ?? 0)).toEqual({ instanceId: null, unitId: 'u', fence: '1.x', role: null })
    expect(isLiving(table, { pid: parent.pid ?? 0, startTime: '1' })).toBe(false)
    expect(isLiving(table, { pid: parent.pid ?? 0, startTime: facts?.startTime ?? '' })).toBe(true)
  },
)

test('the output of ps is read with its marks; a session that is no number falls back to the group', () => {
  const text = [
    '    1     0     1      0 Ss   Sun Nov 22 00:00:01 2026 /sbin/launchd',
    '  501     1   500   d4c0 S+   Sun Nov  2 10:00:01 2026 /bin/sh -c x A=1 NIGHTKILN_ATTEMPT_UNIT=u NIGHTKILN_FENCE=2.n B=',
    '  502     1   500    500 Z    Sun Nov  2 10:00:01 2026 (sh)',
  ].join('\n')
  expect(parsePs(text)).toEqual([
    expect.objectContaining({ facts: expect.objectContaining({ pid: 1 }) }),
    {
      facts: { pid: 501, parentPid: 1, groupId: 500, sessionId: 500, startTime: 'Sun Nov 2 10:00:01 2026' },
      marks: { instanceId: null, unitId: 'u', fence: '2.n', role: null },
    },
  ])
})
