import { rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { emptyNodeMs, slownessOf } from '../support/machine-speed.ts'
import { killManager, readManagerFile, waitForManager } from '../support/manager-process.ts'
import { pidsOfHome, readStat } from '../support/proc.ts'
import { rounds } from '../support/rounds.ts'
import { type TemporaryHome, useTemporaryHome } from '../support/temporary-home.ts'
import { waitUntil } from '../support/wait-until.ts'
import { type Answer, crowdOfClients, crowdOfFrontEnds } from './support-b/crowd.ts'
import { readRows } from './support-b/database.ts'

/** The crowd keeps the processors from the manager that it waits for; what else runs beside it does, too. */
const withinMs = 120_000
const timeout = 300_000
const frontEnds = rounds(30, 100)
const clients = rounds(12, 24)

/** Taken before or after a crowd, which makes the machine slow itself. */
async function machineSlowness(): Promise<number> {
  return slownessOf([await emptyNodeMs(), await emptyNodeMs(), await emptyNodeMs()])
}

function distinct<Key extends keyof Answer>(answers: readonly Answer[], key: Key): readonly Answer[Key][] {
  return [...new Set(answers.map((answer) => answer[key]))]
}

async function expectOneManager(home: TemporaryHome, answers: readonly Answer[], epoch: number): Promise<void> {
  const file = readManagerFile(home.home)
  expect(distinct(answers, 'pid')).toEqual([file?.pid])
  expect(distinct(answers, 'epoch')).toEqual([epoch])
  expect(distinct(answers, 'id')).toHaveLength(1)
  // The database agrees, and no candidate is left beside the manager.
  expect(readRows(home.home, 'SELECT epoch FROM leader')).toEqual([{ epoch }])
  expect(readRows(home.home, 'SELECT id FROM job')).toEqual([{ id: answers[0]?.id }])
  // The manager has a guardian beside it.
  const isNeither = (pid: number) => pid !== file?.pid && readStat(pid)?.parent !== file?.pid
  await waitUntil(() => pidsOfHome(home.home).filter(isNeither).length === 0, {
    what: 'every candidate and every client to be gone',
  })
}

async function endManager(home: TemporaryHome): Promise<void> {
  await killManager(home.home, 'SIGTERM')
  await home.ledger.assertNothingLeft()
}

// Starting 100 node processes costs some 40 s of processor time: the longest path and the largest crowd share one test.
it(`${frontEnds} front ends at once on a cold state directory of 150 bytes: one manager, all answer, one job`, {
  timeout,
}, async () => {
  const home = useTemporaryHome({ pathBytes: 150 })
  expect(Buffer.byteLength(home.home)).toBe(150)
  const { answers, repeatedCalls } = await crowdOfFrontEnds(home, frontEnds, 'shared', withinMs)
  expect(answers).toHaveLength(frontEnds)
  // A client searches for a manager for 30 s: enough where the crowd has two cores to itself.
  process.stdout.write(`${JSON.stringify({ crowd: { front_ends: frontEnds, repeated_calls: repeatedCalls } })}\n`)
  await expectOneManager(home, answers, 1)
  const { socket } = await waitForManager(home.home)
  onTestFinished(() => rmSync(dirname(socket ?? home.home), { recursive: true, force: true }))
  expect(socket?.startsWith(home.home)).toBe(false)
  expect(Buffer.byteLength(socket ?? '')).toBeLessThanOrEqual(100)
  await endManager(home)
})

it(`${clients} clients released at the same moment, cold, and again over the files of a killed manager`, {
  timeout,
}, async () => {
  const home = useTemporaryHome()
  const slowBefore = await machineSlowness()
  const cold = await crowdOfClients(home, clients, 'shared', withinMs)
  await expectOneManager(home, cold.answers, 1)

  // manager.json and socket of the dead one stay behind.
  await killManager(home.home, 'SIGKILL')
  expect(readManagerFile(home.home)?.state).toBe('leading')
  const stale = await crowdOfClients(home, clients, 'shared', withinMs)
  await expectOneManager(home, stale.answers, 2)
  expect(stale.answers[0]?.id).toBe(cold.answers[0]?.id)
  const slowness = Math.max(slowBefore, await machineSlowness())
  expect(Math.max(cold.slowestMs, stale.slowestMs)).toBeLessThan(30_000 * slowness)
  await endManager(home)
})
