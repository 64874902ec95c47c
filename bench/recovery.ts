import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createManagerClient, type ManagerClient } from '../src/client/manager-client.ts'
import { statePaths } from '../src/config/paths.ts'
import { version } from '../src/config/version.ts'
import { benchContext, endManager, wallMs, withBenchHome } from './bench-home.ts'
import { type Figure, median } from './figures.ts'
import { fillHistory } from './history-fill.ts'

const queue = 'one-at-a-time'
const waitingJobs = 5

function submitScript(client: ManagerClient, home: string, key: string, script: string) {
  return client.call('submit_job', {
    params: { shell: true, script, cwd: home },
    queue,
    rerun_when_lost: false,
    idempotency_key: key,
    context: benchContext,
  })
}

async function contentOf(file: string): Promise<string> {
  const deadline = Date.now() + 30_000
  while (!existsSync(file) || !readFileSync(file, 'utf8').endsWith('\n')) {
    if (Date.now() > deadline) throw new Error(`${file} was not written within 30 s`)
    await delay(2)
  }
  return readFileSync(file, 'utf8').trim()
}

/** Fills the state directory of a manager that is stopped for it. */
async function storeJobs(client: ManagerClient, home: string, jobs: number): Promise<void> {
  const { handshake } = await client.connect()
  await client.call('stop_manager', {})
  await endManager(handshake.pid)
  fillHistory(statePaths(home).database, jobs, Date.now())
}

/**
 * Five commands wait in a queue of one behind a command that runs; manager and running command are killed and a client connects.
 * @returns ms from the kill to the time that the first of the five prints, and to the handshake of the new manager
 */
async function measureOnce(home: string, round: number): Promise<{ running: number; ready: number }> {
  const client = createManagerClient({ home, version, submittedBy: 'bench' })
  const { handshake } = await client.connect()
  await client.call('update_job', { queue, queue_concurrency: 1 })
  const file = (name: string) => join(home, `${name}-${round}`)
  await submitScript(client, home, `killed-${round}`, `echo $$ > '${file('pid')}'; exec sleep 600`)
  const ids: string[] = []
  for (let job = 0; job < waitingJobs; job += 1) {
    const script = `date +%s%N > '${file(`time-${job}`)}'`
    ids.push((await submitScript(client, home, `waiting-${round}-${job}`, script)).id)
  }
  const command = Number(await contentOf(file('pid')))
  await client.close()
  const next = createManagerClient({ home, version, submittedBy: 'bench' })
  try {
    const killed = wallMs()
    process.kill(handshake.pid, 'SIGKILL')
    process.kill(command, 'SIGKILL')
    await next.connect()
    const ready = wallMs() - killed
    const ran = Number(await contentOf(file('time-0'))) / 1e6
    await next.call('wait_for_jobs', { ids, timeout_s: 40 })
    return { running: ran - killed, ready }
  } finally {
    await next.close()
  }
}

/** SIGKILL of the manager to the first waiting command running, with many jobs stored. */
export function measureRecovery(storedJobs: number, rounds: number): Promise<readonly Figure[]> {
  return withBenchHome(async ({ client, home }) => {
    await storeJobs(client, home, storedJobs)
    const samples: { running: number; ready: number }[] = []
    for (let round = 0; round < rounds; round += 1) samples.push(await measureOnce(home, round))
    return [
      {
        name: `manager killed to ready, ${storedJobs} jobs stored`,
        value: median(samples.map(({ ready }) => ready)),
        unit: 'ms',
        goal: null,
      },
      {
        name: `manager killed to first job running, ${storedJobs} jobs stored`,
        value: median(samples.map(({ running }) => running)),
        unit: 'ms',
        goal: { at: 'most', value: 300 },
      },
    ]
  })
}
