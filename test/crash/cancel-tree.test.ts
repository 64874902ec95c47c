import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { ledgerCommand, readLedger, runningNames } from '../support/ledger-command.ts'
import { stretched } from '../support/machine-speed.ts'
import { isManagerAlive, killManager, waitForManager } from '../support/manager-process.ts'
import { isAlive } from '../support/proc.ts'
import { distMain } from '../support/repository.ts'
import { rounds } from '../support/rounds.ts'
import { useTemporaryHome } from '../support/temporary-home.ts'
import { waitUntil } from '../support/wait-until.ts'
import { readRows } from './support-b/database.ts'
import { submit, submitScript, useQueueClient, viewJob, waitForEnd } from './support-b/queue-client.ts'
import { textOf, useWorkspace } from './support-b/workspace.ts'

/** P7: the whole tree is gone this long after the acknowledgement, at the latest. */
const goneWithinMs = 5_000

/** Pids that the scripts of a job wrote, one a line. */
function pidsIn(file: string): readonly number[] {
  return textOf(file)
    .split('\n')
    .filter((line) => line !== '')
    .map(Number)
}

// Each script writes the pids of all its processes to `pids` and keeps them alive.
const trees = [
  {
    name: 'ignores TERM',
    processes: 2,
    script: `trap '' TERM HUP INT; echo $$ >> pids; (echo $BASHPID >> pids; while :; do sleep 1; done) & while :; do sleep 1; done`,
  },
  {
    name: 'daemonised with setsid',
    processes: 2,
    script: `echo $$ >> pids; setsid bash -c 'trap "" TERM; echo $$ >> pids; while :; do sleep 1; done' </dev/null >/dev/null 2>&1 & wait`,
  },
  {
    name: 'daemonised by a double fork',
    processes: 2,
    script: `echo $$ >> pids; (setsid bash -c '(echo $BASHPID >> pids; exec -a harmless sleep 1000) & exit 0' &) ; while :; do sleep 1; done`,
  },
]

it.for(trees)('the whole tree is gone after a cancel: a command that $name', async ({ script, processes }) => {
  const home = useTemporaryHome()
  const workspace = useWorkspace()
  const client = useQueueClient(home)
  writeFileSync(join(workspace, 'tree.sh'), script)
  const { id } = await submit(client, { params: { argv: ['bash', 'tree.sh'], cwd: workspace } })
  const pids = await waitUntil(() => {
    const found = pidsIn(join(workspace, 'pids'))
    return found.length === processes ? found : null
  })
  for (const pid of pids) home.ledger.add(pid)
  expect(pids.every(isAlive)).toBe(true)

  const answer = await client.call('cancel_job', { ids: [id] })
  const acknowledged = performance.now()
  expect(answer.jobs.map((job) => job.outcome)).toEqual(['cancelling'])
  await waitUntil(() => !pids.some(isAlive), { what: 'the whole tree to be gone' })
  const [job] = await waitForEnd(client, [id])
  const tookMs = performance.now() - acknowledged
  expect(tookMs).toBeLessThan(await stretched(goneWithinMs))
  expect(job?.state).toBe('cancelled')
  expect(job?.attempts).toBe(1)
  expect(job?.error).toBe(null)
  await killManager(home.home, 'SIGTERM')
  await home.ledger.assertNothingLeft()
})

it('a command that used nightkiln itself: its managers survive the cancel, the rest is gone', async () => {
  const home = useTemporaryHome()
  const other = useTemporaryHome()
  const workspace = useWorkspace()
  const client = useQueueClient(home)
  const nightkiln = `"${process.execPath}" "${distMain}"`
  const script = [
    'echo $$ >> pids',
    // On its own state directory: the queue that runs it. On another: a manager is started from inside the job.
    `${nightkiln} submit --json -- true > same.json 2> same.err`,
    `NIGHTKILN_HOME="${other.home}" ${nightkiln} submit --json -- sleep 2 > other.json 2> other.err`,
    'echo done >> ready',
    'while :; do sleep 1; done',
  ].join('\n')
  const id = await submitScript(client, workspace, script)
  await waitUntil(() => textOf(join(workspace, 'ready')) !== '', {
    timeoutMs: 20_000,
    what: 'the command to have submitted',
  })
  expect(textOf(join(workspace, 'same.json')), textOf(join(workspace, 'same.err'))).toContain('"id"')
  expect(textOf(join(workspace, 'other.json')), textOf(join(workspace, 'other.err'))).toContain('"id"')
  const mine = await waitForManager(home.home)
  const theirs = await waitForManager(other.home)
  expect(theirs.pid).not.toBe(mine.pid)

  await client.call('cancel_job', { ids: [id] })
  await waitUntil(() => !pidsIn(join(workspace, 'pids')).some(isAlive))
  const [job] = await waitForEnd(client, [id])
  expect(job?.state).toBe('cancelled')
  expect(isManagerAlive(mine)).toBe(true)
  expect(isManagerAlive(theirs)).toBe(true)
  // What the job submitted elsewhere is a job of its own and goes on.
  await waitUntil(() => readRows<{ state: string }>(other.home, 'SELECT state FROM job')[0]?.state === 'completed')
  await killManager(other.home, 'SIGTERM')
  await killManager(home.home, 'SIGTERM')
  await other.ledger.assertNothingLeft()
  await home.ledger.assertNothingLeft()
})

it('two cancels and a completion race: one outcome that everybody sees', { timeout: 90_000 }, async () => {
  const home = useTemporaryHome()
  const workspace = useWorkspace()
  const client = useQueueClient(home)
  const rival = useQueueClient(home)
  const seen = { completed: 0, cancelled: 0 }
  const races = rounds(80, 200)
  const batch = 8
  for (let round = 0; round < races; round += batch) {
    await Promise.all(
      Array.from({ length: batch }, async (_, lane) => {
        const spread = ((round + lane) % 40) / 1000
        const id = await submitScript(client, workspace, `sleep ${spread}`)
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 60))
        const [one, two] = await Promise.all([
          client.call('cancel_job', { ids: [id] }),
          rival.call('cancel_job', { ids: [id] }),
        ])
        const [ended] = await waitForEnd(client, [id])
        const later = await viewJob(rival, id)
        expect(later.state).toBe(ended?.state)
        const outcomes = [one, two].map((answer) => answer.jobs[0]?.outcome)
        if (ended?.state === 'completed') {
          seen.completed += 1
          // An acknowledged "cancelled" would have been a lie; a cancel under way may still lose to the command's own end.
          expect(outcomes).not.toContain('cancelled')
        } else {
          seen.cancelled += 1
          expect(ended?.state).toBe('cancelled')
          if (outcomes.includes('already_final')) expect(outcomes).not.toEqual(['already_final', 'already_final'])
        }
      }),
    )
  }
  expect(seen.completed + seen.cancelled).toBe(races)
  // The race was one: both ends happened.
  expect(Math.min(seen.completed, seen.cancelled)).toBeGreaterThan(0)
  // From outside: one settling event and one final attempt per job, and nothing runs.
  expect(
    readRows(
      home.home,
      "SELECT job_id FROM event WHERE type IN ('job.completed', 'job.cancelled', 'job.failed') GROUP BY job_id HAVING count(*) <> 1",
    ),
  ).toEqual([])
  expect(readRows(home.home, "SELECT 1 FROM attempt WHERE outcome = 'running'")).toEqual([])
  await killManager(home.home, 'SIGTERM')
  await home.ledger.assertNothingLeft()
})

it('once a cancel is acknowledged no new attempt starts: queued, delayed, retrying, and over a death of the manager', async () => {
  const home = useTemporaryHome()
  const workspace = useWorkspace()
  const client = useQueueClient(home)
  const { total: slots } = (await client.call('queue_status', {})).slots
  const blockers: string[] = []
  for (let index = 0; index < slots; index += 1) {
    blockers.push((await submit(client, ledgerCommand(workspace, `blocker${index}`, 3))).id)
  }
  await waitUntil(() => runningNames(readLedger(workspace)).length === slots)
  const queued = (await submit(client, ledgerCommand(workspace, 'queued', 0))).id
  const delayed = (
    await submit(client, {
      ...ledgerCommand(workspace, 'delayed', 0),
      run_at: new Date(Date.now() + 2_000).toISOString(),
    })
  ).id
  const answer = await client.call('cancel_job', { ids: [queued, delayed] })
  expect(answer.jobs.map((job) => job.outcome)).toEqual(['cancelled', 'cancelled'])

  // A running one is cancelled, and the manager dies before it can see to it.
  const [first] = blockers
  const cancelling = await client.call('cancel_job', { ids: [first ?? ''] })
  expect(cancelling.jobs.map((job) => job.outcome)).toEqual(['cancelling'])
  await killManager(home.home, 'SIGKILL')
  const jobs = await waitForEnd(client, [queued, delayed, ...blockers], 15_000)
  expect(jobs.map((job) => job.state)).toEqual([
    'cancelled',
    'cancelled',
    'cancelled',
    ...blockers.slice(1).map(() => 'completed'),
  ])

  // A command that fails and would be retried, cancelled between two attempts.
  const retrying = (
    await submit(client, {
      params: { shell: true, script: 'echo try >> tries; exit 1', cwd: workspace },
      max_attempts: 5,
      backoff: { initial_s: 1.5, max_s: 2, factor: 1 },
    })
  ).id
  await waitUntil(async () => (await viewJob(client, retrying)).state === 'retrying')
  const tries = textOf(join(workspace, 'tries'))
  const cancelled = await client.call('cancel_job', { ids: [retrying] })
  expect(cancelled.jobs.map((job) => job.outcome)).toEqual(['cancelled'])

  // Longer than the delay and the backoff, told by the queue itself: a job that is due after both has run.
  const marker = await submit(client, {
    ...ledgerCommand(workspace, 'marker', 0),
    run_at: new Date(Date.now() + 2_500).toISOString(),
  })
  await waitForEnd(client, [marker.id])
  const names = readLedger(workspace).map((line) => line.name)
  expect(names).not.toContain('queued')
  expect(names).not.toContain('delayed')
  expect(textOf(join(workspace, 'tries'))).toBe(tries)
  expect(
    readRows(home.home, 'SELECT 1 FROM attempt JOIN unit ON unit.seq = attempt.unit_seq WHERE attempt.attempt > 1'),
  ).toEqual([])
  await killManager(home.home, 'SIGTERM')
  await home.ledger.assertNothingLeft()
})
