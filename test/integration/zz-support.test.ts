import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { countRuns, ledgerCommand, readLedger, runningNames } from '../support/ledger-command.ts'
import { killManager, managerState, readManagerFile, startManager, waitForManager } from '../support/manager-process.ts'
import { connectStdio } from '../support/mcp-stdio-client.ts'
import { pidsOfHome } from '../support/proc.ts'
import { useTemporaryHome } from '../support/temporary-home.ts'
import { waitUntil } from '../support/wait-until.ts'

test.each([undefined, 150])('main job %s', async (pathBytes) => {
  const { home, environment, ledger } = useTemporaryHome(pathBytes === undefined ? {} : { pathBytes })
  const work = join(useTemporaryHome().home, 'work')
  mkdirSync(work)
  const first = await connectStdio({ environment, ledger })
  const { id } = await first.callOk<{ id: string }>('submit_job', { ...ledgerCommand(work, 'a', 2) })
  await waitUntil(() => runningNames(readLedger(work)).includes('a'))
  process.kill(first.pid, 'SIGKILL')
  const before = await killManager(home)
  console.log('processes now', pidsOfHome(home).length, before.epoch, before.socket)
  await first.close()
  const second = await connectStdio({ environment, ledger, versionNegotiation: { mode: 'auto' } })
  const t = performance.now()
  const waited = await second.callOk<{ jobs: { state: string; attempts: number; why: string }[] }>('wait_for_jobs', { ids: [id] })
  console.log(performance.now() - t, waited.jobs[0]?.why, waited.jobs[0]?.attempts)
  expect(waited.jobs[0]?.state).toBe('completed')
  expect(countRuns(readLedger(work)).get('a')).toEqual({ starts: 1, ends: 1 })
  const now = await waitForManager(home, { notEpoch: before.epoch })
  expect(managerState(now)).not.toBeNull()
  await second.callOk('queue_status')
  await second.close()
  await killManager(home, 'SIGTERM')
  await ledger.assertNothingLeft()
  const child = startManager(environment)
  ledger.add(child.pid, { group: true })
  await waitForManager(home, { notEpoch: now.epoch })
  expect(readManagerFile(home)?.pid).toBe(child.pid)
})
