import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createManagerClient } from '../../src/client/manager-client.ts'
import { version } from '../../src/config/version.ts'
import { waitForManager } from '../support/manager-process.ts'
import { createProcessLedger } from '../support/process-ledger.ts'
import { gatedCommand } from './support-a/gated-command.ts'
import { useScenario } from './support-a/scenario.ts'

test('a copy of a state directory in use is served by a manager of its own, which leaves the original alone', async () => {
  const scenario = useScenario()
  const { home, directory } = scenario
  const client = scenario.client()
  const command = gatedCommand(directory, 'original')
  const { id } = await scenario.submit(client, command.job)
  await command.started()
  const original = await waitForManager(home)

  const copy = join(mkdtempSync(join(tmpdir(), 'nk-copy-')), 'state')
  const copies = createProcessLedger(copy)
  onTestFinished(async () => {
    await copies.killAll()
    rmSync(join(copy, '..'), { recursive: true, force: true })
  })
  cpSync(home, copy, { recursive: true, filter: (path) => !path.endsWith('.sock') })
  const visitor = createManagerClient({ home: copy, submittedBy: 'copy', version })
  onTestFinished(() => visitor.close())

  const status = await visitor.call('queue_status', {})
  expect(status.manager.state_directory).toBe(copy)
  expect(status.manager.pid).not.toBe(original.pid)
  await visitor.call('cancel_job', { filter: { states: ['unfinished'] } })
  const { jobs } = await visitor.call('wait_for_jobs', { ids: [id], timeout_s: 20 })
  expect(jobs).toMatchObject([{ id, state: 'cancelled' }])

  expect((await waitForManager(home)).pid).toBe(original.pid)
  command.open()
  expect(await scenario.endOf(client, id)).toMatchObject({ state: 'completed', attempts: 1 })
  await scenario.end()
})
