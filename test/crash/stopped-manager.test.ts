import { expect, it } from 'vitest'
import { countRuns, ledgerCommand, readLedger, runningNames } from '../support/ledger-command.ts'
import { stretched } from '../support/machine-speed.ts'
import { isManagerAlive, killManager, managerState, startManager, waitForManager } from '../support/manager-process.ts'
import { isAlive } from '../support/proc.ts'
import { type TemporaryHome, useTemporaryHome } from '../support/temporary-home.ts'
import { waitUntil } from '../support/wait-until.ts'
import { gatedCommand } from './support-a/gated-command.ts'
import { readRows, storedFacts } from './support-b/database.ts'
import { submit, useQueueClient, viewJob, waitForEnd } from './support-b/queue-client.ts'
import { managerLog, useWorkspace } from './support-b/workspace.ts'

async function stopProcess(home: TemporaryHome) {
  const file = await waitForManager(home.home)
  process.kill(file.pid, 'SIGSTOP')
  await waitUntil(() => managerState(file) === 'T', { what: 'the manager to be stopped' })
  return file
}

it('a manager that is stopped and continued without a rival goes on', async () => {
  const home = useTemporaryHome()
  const workspace = useWorkspace()
  const client = useQueueClient(home)
  const { id } = await submit(client, ledgerCommand(workspace, 'kept', 1))
  await waitUntil(() => runningNames(readLedger(workspace)).length === 1)

  const before = await stopProcess(home)
  // The command ends while nobody looks.
  await waitUntil(() => countRuns(readLedger(workspace)).get('kept')?.ends === 1)
  process.kill(before.pid, 'SIGCONT')

  const [job] = await waitForEnd(client, [id])
  expect(job?.state).toBe('completed')
  expect(job?.attempts).toBe(1)
  const after = await waitForManager(home.home)
  expect([after.pid, after.epoch]).toEqual([before.pid, 1])
  await killManager(home.home, 'SIGTERM')
  await home.ledger.assertNothingLeft()
})

it('a stopped manager that a client needs is killed and replaced; its commands are adopted', async () => {
  const home = useTemporaryHome()
  const workspace = useWorkspace()
  const first = useQueueClient(home)
  const adopted = gatedCommand(workspace, 'adopted')
  const { id } = await submit(first, adopted.job)
  await waitUntil(() => runningNames(readLedger(workspace)).length === 1)
  const [started] = readLedger(workspace)

  const stopped = await stopProcess(home)
  const asked = performance.now()
  const second = useQueueClient(home)
  const later = await submit(second, { params: { argv: ['true'], cwd: workspace } })
  const tookMs = performance.now() - asked

  const file = await waitForManager(home.home)
  expect(isManagerAlive(stopped)).toBe(false)
  expect(file.pid).not.toBe(stopped.pid)
  expect(file.epoch).toBe(2)
  // Probes, takeover, start: well under what a person waits for.
  expect(tookMs).toBeLessThan(await stretched(10_000))
  expect(isAlive(started?.pid ?? 0)).toBe(true)
  adopted.open()

  const jobs = await waitForEnd(second, [id, later.id])
  expect(jobs.map((job) => [job.state, job.attempts])).toEqual([
    ['completed', 1],
    ['completed', 1],
  ])
  expect(countRuns(readLedger(workspace)).get('adopted')).toEqual({ starts: 1, ends: 1 })
  // The client of before works on, too: its connection broke with the old manager.
  expect((await viewJob(first, id)).state).toBe('completed')
  await killManager(home.home, 'SIGTERM')
  await home.ledger.assertNothingLeft()
})

it.for([
  { name: 'with a command that ended and a call in its socket', busy: true },
  { name: 'with nothing to do', busy: false },
])('a continued manager whose epoch was taken is refused in every write and ends: $name', async ({ busy }) => {
  const home = useTemporaryHome()
  const workspace = useWorkspace()
  const first = useQueueClient(home)
  await first.connect()
  const ids: string[] = []
  if (busy) {
    ids.push((await submit(first, ledgerCommand(workspace, 'both', 1))).id)
    await waitUntil(() => runningNames(readLedger(workspace)).length === 1)
  }
  // It may not start candidates: one of them would take the lock that the rival does without.
  const caller = useQueueClient(home, { launch: false })
  await caller.connect()
  const stopped = await stopProcess(home)
  // Lies unread in the socket of the stopped manager until it goes on.
  const pending = busy
    ? submit(caller, { idempotency_key: 'in-flight', params: { argv: ['true'], cwd: workspace } })
    : null

  // The candidate does not kill; only the epoch stands between the two.
  const rival = startManager({ ...home.environment, NIGHTKILN_FAULT: 'takeover.kill=skip' })
  home.ledger.add(rival.pid)
  const leader = await waitForManager(home.home, { notEpoch: 1 })
  expect([leader.pid, leader.epoch]).toEqual([rival.pid, 2])
  expect(managerState(stopped)).toBe('T')
  const second = useQueueClient(home, { launch: false })
  if (busy) await waitForEnd(second, ids)
  const before = storedFacts(home.home)

  process.kill(stopped.pid, 'SIGCONT')
  await waitUntil(() => !isManagerAlive(stopped), { what: 'the manager of the old epoch to end' })
  const reason = managerLog(home.home)
    .split('\n')
    .find((line) => line.includes('"level":60') && line.includes(`"pid":${stopped.pid}`))
  expect(reason).toContain('epoch')
  expect(isManagerAlive(leader)).toBe(true)

  if (pending === null) {
    expect(storedFacts(home.home)).toEqual(before)
  } else {
    // The call that the old one could not answer was sent again to the new one: one job.
    await waitForEnd(second, [(await pending).id])
    expect(readRows(home.home, "SELECT 1 FROM idempotency WHERE key = 'in-flight'")).toHaveLength(1)
    expect(storedFacts(home.home)).toMatchObject({ epoch: 2, jobs: before.jobs + 1 })
    expect(readRows(home.home, "SELECT 1 FROM event WHERE type = 'unit.started'")).toHaveLength(2)
    expect(readRows(home.home, "SELECT worker_id FROM attempt WHERE worker_id NOT LIKE '%-2'")).toEqual([])
  }
  await killManager(home.home, 'SIGTERM')
  await home.ledger.assertNothingLeft()
})
