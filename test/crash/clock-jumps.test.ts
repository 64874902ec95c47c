import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { countRuns, ledgerCommand, readLedger, runningNames } from '../support/ledger-command.ts'
import { isManagerAlive, killManager, startManager, waitForManager } from '../support/manager-process.ts'
import { useTemporaryHome } from '../support/temporary-home.ts'
import { waitUntil } from '../support/wait-until.ts'
import { submit, useQueueClient, viewJob, waitForEnd } from './support-b/queue-client.ts'
import { useWorkspace } from './support-b/workspace.ts'

const hourMs = 3_600_000

/** @throws Error saying what to install: without the library the clock cannot be moved, and that must not look like success */
function fakeTimeLibrary(): string {
  const name = 'libfaketimeMT.so.1'
  const folders = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib', '/usr/local/lib']
  const found = folders.map((folder) => join(folder, 'faketime', name)).find((file) => existsSync(file))
  if (found === undefined) throw new Error(`this test needs ${name}: apt-get install faketime`)
  return found
}

it.for([
  { jump: '+1h', jumpMs: hourMs },
  { jump: '-1h', jumpMs: -hourMs },
])(
  'a jump of the wall clock by $jump changes nothing for running, queued, timed and delayed commands',
  async ({ jump, jumpMs }) => {
    const home = useTemporaryHome()
    const workspace = useWorkspace()
    const clockFile = join(workspace, 'clock')
    writeFileSync(clockFile, '+0\n')
    const manager = startManager({
      ...home.environment,
      LD_PRELOAD: fakeTimeLibrary(),
      FAKETIME_TIMESTAMP_FILE: clockFile,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    })
    home.ledger.add(manager.pid, { group: true })
    const file = await waitForManager(home.home)
    const client = useQueueClient(home, { launch: false })
    const { total: slots } = (await client.call('queue_status', {})).slots

    // All slots are taken: by one with a timeout far above its need, one that is too slow for its own, and fillers.
    const timed = await submit(client, { ...ledgerCommand(workspace, 'timed', 4), timeout_s: 30, idle_timeout_s: 30 })
    const slow = await submit(client, { ...ledgerCommand(workspace, 'slow', 20), timeout_s: 4 })
    const fillers: string[] = []
    for (let index = 2; index < slots; index += 1) {
      fillers.push((await submit(client, ledgerCommand(workspace, `filler${index}`, 4))).id)
    }
    await waitUntil(() => runningNames(readLedger(workspace)).length === slots)
    const queued = await submit(client, ledgerCommand(workspace, 'queued', 0))
    const tomorrow = await submit(client, {
      ...ledgerCommand(workspace, 'tomorrow', 0),
      run_at: new Date(Date.now() + 24 * hourMs).toISOString(),
    })
    const soon = await submit(client, {
      ...ledgerCommand(workspace, 'soon', 0),
      run_at: new Date(Date.now() + hourMs / 2).toISOString(),
    })

    writeFileSync(clockFile, `${jump}\n`)
    const jumpedAt = performance.now()
    const late = await submit(client, ledgerCommand(workspace, 'late', 0))
    expect(Math.abs(Date.parse(late.submitted_at) - Date.now() - jumpMs)).toBeLessThan(60_000)

    const jobs = await waitForEnd(client, [timed.id, slow.id, queued.id, late.id, ...fillers], 20_000)
    const [timedJob, slowJob, ...others] = jobs
    expect(timedJob?.state).toBe('completed')
    expect(slowJob?.error?.code).toBe('attempt_timed_out')
    // Its four seconds were counted from its start, not from a clock.
    expect(performance.now() - jumpedAt).toBeGreaterThan(1_000)
    expect(others.map((job) => job.state)).toEqual(others.map(() => 'completed'))
    expect(jobs.map((job) => job.attempts)).toEqual(jobs.map(() => 1))

    // Start times are wall times: what an hour's jump made due starts, what it did not waits on.
    if (jumpMs > 0) await waitForEnd(client, [soon.id], 15_000)
    else expect((await viewJob(client, soon.id)).state).toBe('scheduled')
    expect((await viewJob(client, tomorrow.id)).state).toBe('scheduled')
    expect(countRuns(readLedger(workspace)).get('timed')).toEqual({ starts: 1, ends: 1 })
    expect(isManagerAlive(file)).toBe(true)
    expect((await waitForManager(home.home)).epoch).toBe(1)
    await client.call('cancel_job', { ids: [soon.id, tomorrow.id] })
    await killManager(home.home, 'SIGTERM')
    await home.ledger.assertNothingLeft()
  },
)
