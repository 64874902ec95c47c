import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const source = (name: string): string => JSON.stringify(fileURLToPath(new URL(`../../../src/${name}`, import.meta.url)))

/** Takes every descriptor, looks at itself with a table that has a reserve and one that has none, and says what it saw. */
const script = `
import { openSync, closeSync, writeSync } from 'node:fs'
const { createLinuxProcessTable } = await import(${source('workers/process-table-linux.ts')})
const identity = await import(${source('platform/process-identity.ts')})
const own = identity.ownIdentity()
const prepared = createLinuxProcessTable()
const taken = []
const takeAll = () => {
  try { for (;;) taken.push(openSync('/dev/null', 'r')) } catch {}
}
// What the loader still writes gives its descriptors back: taken again right before each look.
for (let turn = 0; turn < 50; turn++) {
  await new Promise((resolve) => setImmediate(resolve))
  takeAll()
}
const unprepared = createLinuxProcessTable()
const attempt = (action) => { takeAll(); try { return action() } catch (error) { return error.code } }
const seen = {
  prepared: [
    attempt(() => prepared.find(own.pid)?.startTime === own.startTime),
    attempt(() => prepared.list().some((one) => one.pid === own.pid)),
    attempt(() => prepared.marksOf(own.pid)?.unitId),
  ],
  unprepared: [attempt(() => unprepared.find(own.pid)), attempt(() => unprepared.list()), attempt(() => unprepared.marksOf(own.pid))],
  startTime: attempt(() => identity.processStartTime(own.pid)),
  same: [attempt(() => identity.isSameProcess(own)), attempt(() => identity.mayBeSameProcess(own))],
  gone: [],
}
for (const one of taken) closeSync(one)
const strangers = [{ ...own, startTime: '1' }, { pid: 4_000_000, startTime: '1' }]
for (const one of strangers) seen.gone.push(identity.isSameProcess(one), identity.mayBeSameProcess(one))
writeSync(1, JSON.stringify(seen))
`

test.runIf(process.platform === 'linux')(
  'without a free descriptor no process passes for dead, and a table with a reserve still sees',
  () => {
    const command = 'ulimit -n 80; exec "$0" --import tsx --input-type=module -e "$1"'
    const environment = { ...process.env, NIGHTKILN_ATTEMPT_UNIT: 'u' }
    const answer = spawnSync('/bin/sh', ['-c', command, process.execPath, script], { env: environment })
    expect([answer.stderr.toString(), answer.status]).toEqual(['', 0])
    expect(JSON.parse(answer.stdout.toString())).toEqual({
      prepared: [true, true, 'u'],
      unprepared: ['EMFILE', 'EMFILE', 'EMFILE'],
      startTime: 'EMFILE',
      same: [false, true],
      gone: [false, false, false, false],
    })
  },
)
