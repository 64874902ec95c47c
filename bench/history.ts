import { spawn } from 'node:child_process'
import { createManagerClient, type ManagerClient } from '../src/client/manager-client.ts'
import { readManagerFile } from '../src/client/manager-file.ts'
import { statePaths } from '../src/config/paths.ts'
import { version } from '../src/config/version.ts'
import type { JobStore } from '../src/domain/ports/job-store.ts'
import type { OperationRequest } from '../src/domain/wire/operations.ts'
import { openJobStore } from '../src/persistence/open-job-store.ts'
import { newJob } from '../test/support/new-job.ts'
import { commandSubmit, distMain, withBenchHome } from './bench-home.ts'
import { type Figure, median, percentile } from './figures.ts'
import { fillHistory } from './history-fill.ts'

const clock = { now: () => Date.now(), monotonic: () => performance.now() }
const claims = 1_000
const rounds = 20

type Filter = OperationRequest<'list_jobs'>

/** First pages as people ask for them; the slowest counts. */
const lists: readonly Filter[] = [
  {},
  { states: ['failed'] },
  { states: ['unfinished'] },
  { states: ['finished'] },
  { type: 'quarterly-report' },
  { type: 'backup', states: ['failed'] },
  { queue: 'night' },
  { labels: { project: 'kiln' } },
  { labels: { batch: '12' }, states: ['completed'] },
  {
    created_after: new Date(Date.now() - 45 * 86_400_000).toISOString(),
    created_before: new Date(Date.now() - 45 * 86_400_000 + 600_000).toISOString(),
  },
]

/** Common words, rare ones, beginnings, several at once, and none that is there. */
const texts = [
  'render',
  'kil',
  'r',
  'quarterly',
  'data input local',
  'kiln 512',
  'exit code 3',
  'transcode 77',
  'nowhere',
]

/** With very many finished jobs stored: a claim, pages, search, totals, and a start of the manager. */
export function measureHistory(jobs: number): Promise<readonly Figure[]> {
  return withBenchHome(async ({ home, client, environment }) => {
    await client.connect()
    await client.call('stop_manager', { drain_ms: 0, running: 'release' })
    await managerEnd(home)
    const { database, backups } = statePaths(home)
    fillHistory(database, jobs, Date.now())
    const store = openJobStore({ databaseFile: database, backupsDirectory: backups, appVersion: version, clock })
    const claimTimes = timeClaims(store)
    store.close()
    const ready = await timeStart(environment)
    const again = createManagerClient({ home, version, submittedBy: 'bench' })
    try {
      return [
        figure(jobs, 'claim with its commit, p99', percentile(claimTimes, 0.99), 5),
        figure(jobs, 'manager start to ready', ready, 2_000),
        figure(
          jobs,
          'first page of list_jobs, slowest filter p50',
          await slowest(lists, (filter) => again.call('list_jobs', filter)),
          50,
        ),
        figure(
          jobs,
          'text search, slowest words p50',
          await slowest(texts, (text) => again.call('list_jobs', { text })),
          100,
        ),
        figure(jobs, 'queue_status, p50', await slowest([{}], () => again.call('queue_status', {})), null),
        figure(jobs, 'whats_new, p50', await slowest([{}], () => again.call('whats_new', {})), null),
        figure(jobs, 'submit_job, p50', await slowest([0], () => submit(again)), null),
      ]
    } finally {
      await again.call('stop_manager', { drain_ms: 0, running: 'release' }).catch(() => undefined)
      await again.close()
    }
  })
}

function figure(jobs: number, name: string, value: number, goal: number | null): Figure {
  return {
    name: `${jobs} finished jobs: ${name}`,
    value,
    unit: 'ms',
    goal: goal === null ? null : { at: 'most', value: goal },
  }
}

/** @returns the median of the slowest of the calls, after one round for the caches. */
async function slowest<Request>(
  requests: readonly Request[],
  call: (request: Request) => Promise<unknown>,
): Promise<number> {
  const medians: number[] = []
  for (const request of requests) {
    await call(request)
    const times: number[] = []
    for (let round = 0; round < rounds; round += 1) {
      const before = performance.now()
      await call(request)
      times.push(performance.now() - before)
    }
    medians.push(median(times))
  }
  return Math.max(...medians)
}

let submits = 0

function submit(client: ManagerClient): Promise<unknown> {
  submits += 1
  return client.call('submit_job', commandSubmit(`history-${submits}`, ['true']))
}

/** One unit each, a transaction of its own; the units are released again at the end. */
function timeClaims(store: JobStore & { raiseEpoch(holder: string, now: number): number }): number[] {
  const now = Date.now()
  store.raiseEpoch('bench', now)
  store.registerWorker({ id: 'bench', kind: 'command', name: 'bench', pid: process.pid, slots: 1 }, now, now + 60_000)
  const submitted = store.atomically(() =>
    Array.from({ length: claims }, (_, number) => submitToStore(store, number, now)),
  )
  const times: number[] = []
  for (const jobId of submitted) {
    const before = performance.now()
    const { units } = store.claimUnitsIfDue({
      jobId,
      limitKey: null,
      limit: 1,
      workerId: 'bench',
      executor: 'command',
      mode: 'local',
      nonce: 'bench',
      now,
    })
    times.push(performance.now() - before)
    const [unit] = units
    if (unit === undefined) throw new Error(`nothing to claim of ${jobId}`)
    const fence = { unitId: unit.id, attempt: unit.attempt, nonce: 'bench', workerId: 'bench' }
    store.atomically(() => {
      const facts = { exitCode: 0, error: null, elapsedMs: 1, outputBytes: 0, droppedBytes: 0, now }
      store.completeUnitIfHeld(fence, null, facts)
    })
  }
  return times
}

function submitToStore(store: JobStore, number: number, now: number): string {
  const job = newJob(now, `claim-${number}`, { name: `claimed ${number}`, submittedBy: 'bench' })
  store.submitJob(job)
  return job.id
}

/** Ms from the spawn of the command until it says that the manager is ready. */
function timeStart(environment: Readonly<Record<string, string>>): Promise<number> {
  const before = performance.now()
  const child = spawn(process.execPath, [distMain, 'manager', 'start'], {
    env: environment,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => {
      if (code === 0) resolve(performance.now() - before)
      else reject(new Error(`manager start ended with ${code}`))
    })
  })
}

async function managerEnd(home: string): Promise<void> {
  const pid = readManagerFile(statePaths(home).managerFile)?.pid
  if (pid === undefined) return
  for (const deadline = Date.now() + 10_000; Date.now() < deadline; ) {
    try {
      process.kill(pid, 0)
    } catch {
      return
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error(`manager ${pid} did not end`)
}
